"""Which exact paths BentoML answers behind the front app; without importing BentoML."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import NamedTuple

from modelkit.definition import ModelDefinition
from serving.http.app import Check
from serving.http.docs import DOCS_ASSETS
from serving.http.native import NativeRoutes
from serving.typed_answers import api_name

PAGES = frozenset({"/", "/schema.json", "/docs.json"}) | DOCS_ASSETS


class PassedOn(NamedTuple):
    """BentoML's index page, its schema and the pages' files; and the typed APIs, each with what a request must pass."""

    pages: frozenset[str]
    apis: Mapping[str, Check]


def passed_on(native: NativeRoutes, definitions: Iterable[ModelDefinition]) -> PassedOn:
    checks = {
        f"/{api_name(definition)}": partial(native.checked_row, name=definition.name)
        for definition in definitions
    }
    return PassedOn(PAGES, checks)
