"""The command line of training: parse, run one command, say in one line what it did."""

from __future__ import annotations

import argparse
import importlib
import logging
import pkgutil
import sys
import warnings
from collections.abc import Sequence
from typing import Any

from modelkit.definition import ModelDefinition, load_catalog
from modelkit.errors import ServableError
from training import commands
from training.errors import TrainingError, UnknownModel
from training.settings import TrainingSettings

# Imported on use: a stage should not wait for the libraries of the others.
STAGES = {
    "prepare": ("training.stages.prepare", "prepare"),
    "featurize": ("training.stages.featurize", "featurize"),
    "train": ("training.stages.train", "train"),
    "evaluate": ("training.stages.evaluate", "evaluate"),
    "compile": ("training.stages.compile", "compile_servable"),
    "report": ("training.stages.report", "report"),
}
COUNTS: dict[str, int | str] = {"one": 1, "many": "+", "any": "*"}


def main(argv: Sequence[str]) -> int:
    """The exit code: 0 done, 1 refused or impossible (said on stderr) unless the error has its own, 2 not a command."""
    found = _commands()
    arguments = _parser(found).parse_args(argv)
    _silence_libraries()
    try:
        settings = TrainingSettings()
        for definition in _chosen(arguments, settings.catalog):
            said = _run(found, arguments, definition, settings)
            print(f"{arguments.command}{f' {definition.name}' if definition else ''}: {said}")
    except (TrainingError, ServableError) as error:
        print(f"{arguments.command}: {error}", file=sys.stderr)
        return getattr(error, "exit_code", 1)
    except FileNotFoundError as error:
        print(
            f"{arguments.command}: {error.filename} is not there: an earlier step makes it", file=sys.stderr
        )
        return 1
    return 0


def _commands() -> dict[str, Any]:
    modules = [module.name for module in pkgutil.iter_modules(commands.__path__)]
    return {
        name.replace("_", "-"): importlib.import_module(f"{commands.__name__}.{name}") for name in modules
    }


def _parser(found: dict[str, Any]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    subparsers = parser.add_subparsers(dest="command", required=True)
    for name in STAGES:
        stage = subparsers.add_parser(name, help=f"the DVC stage {name} of one model")
        stage.add_argument("models", nargs=1, metavar="MODEL")
    for name, module in found.items():
        command = subparsers.add_parser(name, help=module.HELP)
        if module.MODELS in COUNTS:
            wording = "all of the catalog when none is named" if module.MODELS == "any" else None
            command.add_argument("models", nargs=COUNTS[module.MODELS], metavar="MODEL", help=wording)
        module.add_arguments(command)
    return parser


def _chosen(arguments: argparse.Namespace, package: str) -> list[ModelDefinition | None]:
    if "models" not in arguments:
        return [None]
    catalog = load_catalog(package)
    for name in arguments.models:
        if name not in catalog:
            raise UnknownModel(f"the catalog declares no {name}; it declares {', '.join(catalog)}")
    return [catalog[name] for name in arguments.models or catalog]


def _run(
    found: dict[str, Any],
    arguments: argparse.Namespace,
    definition: ModelDefinition | None,
    settings: TrainingSettings,
) -> str:
    if arguments.command not in STAGES:
        return str(found[arguments.command].run(arguments, definition, settings))
    from training.layout import Layout
    from training.params import read_params

    assert definition is not None
    module, function = STAGES[arguments.command]
    stage = getattr(importlib.import_module(module), function)
    return str(stage(definition, read_params(definition.name), Layout(model=definition.name)))


def _silence_libraries() -> None:
    """What a library logs about itself hides what a command has to say. Errors still show."""
    warnings.simplefilter("ignore")
    for name in ("mlflow", "alembic", "skl2onnx", "sklearn", "matplotlib"):
        logging.getLogger(name).setLevel(logging.ERROR)
