"""A person whom requests name, as a command line says it: a field of a model of the catalog, and its value as rows hold it.

A number is written in many ways and logged in one, and a name that no row can have would erase nobody and say that it had.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from modelkit.definition import load_catalog
from modelkit.rows import RowReader
from records.erasures import Person, as_text

_ENTITY = re.compile(r"([a-z0-9][a-z0-9-]*)\.([A-Za-z_][A-Za-z0-9_]*)=(.+)", re.DOTALL)


def named_person(text: str, catalog: str) -> Person:
    """Of MODEL.FIELD=VALUE. Raises ValueError for a model, a field or a value that no request can have."""
    named = _ENTITY.fullmatch(text)
    if named is None:
        raise ValueError("--entity is MODEL.FIELD=VALUE, such as basket.user_id=u-17")
    model, field, value = named.groups()
    definition = load_catalog(catalog).get(model)
    if definition is None:
        raise ValueError(f"--entity: the catalog declares no model {model}")
    types = {each.name: each.type for each in msgspec.structs.fields(RowReader(definition.row).struct)}
    if field not in types:
        raise ValueError(f"--entity: rows of {model} have no field {field}; they have {', '.join(types)}")
    return Person(kind=f"{model}.{field}", value=_as_logged(value, types[field], f"{model}.{field}"))


def _as_logged(text: str, kind: Any, field: str) -> str:
    try:
        value = msgspec.convert(text, kind, strict=False)
    except msgspec.ValidationError as error:
        raise ValueError(f"--entity: {field} cannot have this value: {error}") from None
    if isinstance(value, float):
        value += 0.0  # no row has -0.0
    found = as_text(msgspec.json.decode(msgspec.json.encode(value)))
    if found is None:
        raise ValueError(f"--entity: nobody is named by the absence of {field}")
    return found
