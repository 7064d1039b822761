"""`lineage`: which run, commit and data each version comes from, as JSON: what the provenance of an image names."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from modelkit.definition import ModelDefinition
from training.settings import TrainingSettings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from training.registry import Registry
    from training.version import Version

HELP = (
    "write which run, commit and data versions come from: those that an image carries, or those in production"
)
MODELS = "none"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, default=Path("reports/lineage.json"), metavar="FILE")
    parser.add_argument(
        "--versions",
        metavar="MODEL=NUMBER,...",
        help="these and not those behind the alias, which may have moved since the image was built; empty: none",
    )
    parser.add_argument("--alias", default="production", choices=("staging", "challenger", "production"))


def run(arguments: argparse.Namespace, definition: None, settings: TrainingSettings) -> str:
    from modelkit.definition import load_catalog
    from training.files import write_json
    from training.registry import Registry, said_in_one_line

    with said_in_one_line():
        registry, known = Registry(settings.mlflow_tracking_uri), load_catalog(settings.catalog)
        found = (
            _behind(arguments.alias, known, registry)
            if arguments.versions is None
            else _named(arguments.versions, known, registry)
        )
        lines = [_origin(model, version) for model, version in found]
    write_json(arguments.out, lines)
    said = ", ".join(f"{each['model']}={each['version']}" for each in lines)
    return f"{arguments.out}: {said or 'no version'}"


def _behind(
    alias: str, known: Mapping[str, ModelDefinition], registry: Registry
) -> Iterator[tuple[str, Version]]:
    for definition in known.values():
        version = registry.by_alias(definition.registry_name, alias)
        if version is not None:
            yield definition.name, version


def _named(
    versions: str, known: Mapping[str, ModelDefinition], registry: Registry
) -> Iterator[tuple[str, Version]]:
    from training.errors import UnknownModel

    for each in filter(None, versions.split(",")):
        model, _, number = each.partition("=")
        if model not in known:
            raise UnknownModel(f"{model}: the image carries a model that this code does not declare")
        yield model, registry.by_number(known[model].registry_name, number)


def _origin(model: str, version: Version) -> dict[str, str]:
    from training.version import DATA_TAG, GIT_TAG

    return {
        "model": model,
        "version": version.number,
        "run": version.run_id,
        "servable": version.digest or "",
        "commit": version.tags.get(GIT_TAG, ""),
        "data": version.tags.get(DATA_TAG, ""),
    }
