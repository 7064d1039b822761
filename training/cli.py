"""The command line of training: parse, run one command, say in one line what it did."""

from __future__ import annotations

import argparse
import importlib
import logging
import pkgutil
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from pydantic import ValidationError

from modelkit.definition import ModelDefinition, load_catalog
from modelkit.errors import ServableError
from training import commands
from training.errors import Misused, SettingsInvalid, TrainingError, UnknownModel
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
MADE_BY_A_STEP = {("data",), ("models",)}  # first part of a path
INTERRUPTED = 130


class OneLineParser(argparse.ArgumentParser):
    """Says what is wrong in a line, as commands do, without the usage of everything there is."""

    def error(self, message: str) -> NoReturn:
        command = self.prog.split()[-1]
        self.exit(2, f"{command}: {message} (`{self.prog} --help` says more)\n")


def main(argv: Sequence[str]) -> int:
    """The exit code: 0 done, 1 refused or impossible (said on stderr) unless the error has its own, 2 not a command,
    130 interrupted."""
    found, command = command_modules(), ""
    try:
        arguments, unknown = _parser(found).parse_known_args(argv)
        command = arguments.command
        if unknown:
            raise Misused(f"no such arguments: {' '.join(unknown)} (`python -m training {command} --help`)")
        silence_libraries()
        _run_all(found, arguments)
    except SystemExit as stop:  # the parser's: help was given, or there is no such command
        return int(stop.code or 0)
    except BrokenPipeError:
        raise
    except (TrainingError, ServableError) as error:
        return _failed(command, str(error), getattr(error, "exit_code", 1))
    except OSError as error:
        return _failed(command, _said(error), 1)
    except KeyboardInterrupt:
        return _failed(command, "interrupted", INTERRUPTED)
    return 0


def command_modules() -> dict[str, Any]:
    """By the name of the command."""
    modules = [module.name for module in pkgutil.iter_modules(commands.__path__)]
    return {
        name.replace("_", "-"): importlib.import_module(f"{commands.__name__}.{name}") for name in modules
    }


def _parser(found: dict[str, Any]) -> OneLineParser:
    parser = OneLineParser(prog="python -m training", description=__doc__)
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


def _run_all(found: dict[str, Any], arguments: argparse.Namespace) -> None:
    settings = _settings()
    for definition in _chosen(arguments, settings.catalog):
        said = _run(found, arguments, definition, settings)
        print(f"{arguments.command}{f' {definition.name}' if definition else ''}: {said}")


def _settings() -> TrainingSettings:
    try:
        return TrainingSettings()
    except ValidationError as error:
        wrong = (_what_is_wrong(item["loc"], item["msg"]) for item in error.errors(include_input=False))
        raise SettingsInvalid("; ".join(wrong)) from None


def _what_is_wrong(place: tuple[int | str, ...], message: str) -> str:
    """One setting, or what several mean together, whose names the message has."""
    return f"{str(place[0]).upper()}: {message}" if place else message.removeprefix("Value error, ")


def _chosen(arguments: argparse.Namespace, package: str) -> list[ModelDefinition | None]:
    if "models" not in arguments:
        return [None]
    catalog = _catalog(package)
    for name in arguments.models:
        if name not in catalog:
            raise UnknownModel(f"the catalog declares no {name}; it declares {', '.join(catalog)}")
    return [catalog[name] for name in arguments.models or catalog]


def _catalog(package: str) -> dict[str, ModelDefinition]:
    try:
        return load_catalog(package)
    except ModuleNotFoundError as error:
        if error.name != package:  # an import inside it
            raise
        raise SettingsInvalid(f"CATALOG: there is no package {package}") from error


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


def _failed(command: str, message: str, exit_code: int) -> int:
    print(f"{command}: {message}", file=sys.stderr)
    return exit_code


def _said(error: OSError) -> str:
    if error.filename is None:  # libraries raise it with a sentence of their own
        return str(error).splitlines()[0]
    path = str(error.filename)
    if not isinstance(error, FileNotFoundError):
        return f"{path}: {error.strerror}"
    made = Path(path).parts[:1] in MADE_BY_A_STEP
    return f"{path} is not there{': an earlier step makes it' if made else ''}"


def silence_libraries() -> None:
    """What a library logs about itself hides what a command has to say. Errors still show."""
    warnings.simplefilter("ignore")
    for name in ("mlflow", "alembic", "skl2onnx", "sklearn", "matplotlib"):
        logging.getLogger(name).setLevel(logging.ERROR)
