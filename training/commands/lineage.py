"""`lineage`: which run, commit and data each version comes from, as JSON: what the provenance of an image names."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from modelkit.definition import ModelDefinition
from training.settings import TrainingSettings

if TYPE_CHECKING:
    from training.registry import Registry

HELP = "write which run, commit and data the versions in production come from"
MODELS = "none"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, default=Path("reports/lineage.json"), metavar="FILE")
    parser.add_argument("--alias", default="production", choices=("staging", "challenger", "production"))


def run(arguments: argparse.Namespace, definition: None, settings: TrainingSettings) -> str:
    from modelkit.definition import load_catalog
    from training.files import write_json
    from training.registry import Registry, said_in_one_line

    with said_in_one_line():
        registry = Registry(settings.mlflow_tracking_uri)
        found = [_origin(each, registry, arguments.alias) for each in load_catalog(settings.catalog).values()]
    lines = [each for each in found if each is not None]
    write_json(arguments.out, lines)
    said = ", ".join(f"{each['model']}={each['version']}" for each in lines)
    return f"{arguments.out}: {said or 'no version'}"


def _origin(definition: ModelDefinition, registry: Registry, alias: str) -> dict[str, str] | None:
    from training.version import DATA_TAG, GIT_TAG

    version = registry.by_alias(definition.registry_name, alias)
    if version is None:
        return None
    return {
        "model": definition.name,
        "version": version.number,
        "run": version.run_id,
        "servable": version.digest or "",
        "commit": version.tags.get(GIT_TAG, ""),
        "data": version.tags.get(DATA_TAG, ""),
    }
