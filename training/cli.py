"""The command line of training: parse, run one command, say in one line what it did."""

from __future__ import annotations

import argparse
import importlib
import logging
import sys
import warnings
from collections.abc import Sequence

from modelkit.definition import ModelDefinition, load_catalog
from modelkit.errors import ServableError
from training.data_remote import set_remote
from training.errors import TrainingError, UnknownModel
from training.layout import Layout
from training.params import read_params
from training.settings import TrainingSettings

# Imported on use: a stage should not wait for the libraries of the others.
STAGES = {
    "prepare": ("training.stages.prepare", "prepare"),
    "featurize": ("training.stages.featurize", "featurize"),
    "train": ("training.stages.train", "train"),
    "evaluate": ("training.stages.evaluate", "evaluate"),
    "compile": ("training.stages.compile", "compile_servable"),
}
REGISTRY_COMMANDS = ("register", "promote", "rollback", "history", "status")


def main(argv: Sequence[str]) -> int:
    """The exit code: 0 done, 1 refused or impossible (said on stderr), 2 not a command."""
    arguments = _parser().parse_args(argv)
    _silence_libraries()
    try:
        settings = TrainingSettings()
        if arguments.command == "remote":
            print(f"remote: {set_remote(settings)}")
            return 0
        for definition in _chosen(arguments.models):
            _run(arguments, definition, settings)
    except (TrainingError, ServableError) as error:
        print(f"{arguments.command}: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    data = commands.add_parser("data", help="write data/raw, real files where SLIPWAY_RAW_DIR is set")
    data.add_argument("models", nargs="*", metavar="MODEL", help="all of the catalog when none is named")
    commands.add_parser("remote", help="let dvc push and pull use DVC_REMOTE_URL")
    for name in STAGES:
        stage = commands.add_parser(name, help=f"the DVC stage {name} of one model")
        stage.add_argument("models", nargs=1, metavar="MODEL")
    for name in REGISTRY_COMMANDS:
        command = commands.add_parser(name, help=f"{name} in the model registry")
        command.add_argument("models", nargs="*" if name == "status" else 1, metavar="MODEL")
        if name in ("promote", "rollback"):
            command.add_argument("--reason", default="", help="kept in the ledger")
            command.add_argument("--actor", default=None, help="who does it; the login name by default")
        if name == "promote":
            command.add_argument("--version", default=None, help="the candidate by default")
            command.add_argument(
                "--to", default="production", choices=("staging", "challenger", "production")
            )
    return parser


def _chosen(names: Sequence[str]) -> list[ModelDefinition]:
    catalog = load_catalog()
    for name in names:
        if name not in catalog:
            raise UnknownModel(f"the catalog declares no {name}; it declares {', '.join(catalog)}")
    return [catalog[name] for name in names or catalog]


def _run(arguments: argparse.Namespace, definition: ModelDefinition, settings: TrainingSettings) -> None:
    layout = Layout(model=definition.name)
    if arguments.command == "data":
        said = _write_data(definition, layout, settings)
    elif arguments.command in STAGES:
        module, function = STAGES[arguments.command]
        stage = getattr(importlib.import_module(module), function)
        said = stage(definition, read_params(definition.name), layout)
    else:
        commands = importlib.import_module("training.registry_commands")
        said = commands.run(arguments, definition, settings)
    print(f"{arguments.command} {definition.name}: {said}")


def _write_data(definition: ModelDefinition, layout: Layout, settings: TrainingSettings) -> str:
    from training.raw_data import write_raw

    raw = write_raw(definition, layout, settings.slipway_raw_dir)
    done = f"wrote {', '.join(raw.written)}" if raw.written else "unchanged"
    return f"{raw.source}, {raw.size_bytes / 1e6:.1f} MB, {done}"


def _silence_libraries() -> None:
    """What a library logs about itself hides what a command has to say. Errors still show."""
    warnings.simplefilter("ignore")
    for name in ("mlflow", "alembic", "skl2onnx", "sklearn", "matplotlib"):
        logging.getLogger(name).setLevel(logging.ERROR)
