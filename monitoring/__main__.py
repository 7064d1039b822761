"""`python -m monitoring`: reports over what is remembered. Exit code 0: a report, and be it that there is not enough for one;
2: it could not be made.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError

from modelkit.definition import ModelDefinition, load_catalog
from monitoring.commands import COMMANDS
from monitoring.errors import Misused, ReportError, Unreadable
from monitoring.settings import MonitoringSettings
from records.database_option import database_url
from records.engine import lacks_tables, open_existing


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        text = _report(options)
    except (ReportError, ValueError) as error:
        print(f"{options.command}: {error}", file=sys.stderr)
        return 2
    _print(text)
    return 0


def _report(options: argparse.Namespace) -> str:
    settings = _settings()
    definition = _definition(options.model, settings)
    engine = open_existing(database_url(options))
    try:
        return COMMANDS[options.command].run(options, engine, definition, settings)
    except SQLAlchemyError as error:
        reason = getattr(error, "orig", None) or type(error).__name__
        if lacks_tables(error):
            reason = "it lacks our tables: `python -m records upgrade` makes them"
        raise Unreadable(f"the database cannot be read: {str(reason).splitlines()[0]}") from error
    finally:
        engine.dispose()


def _settings() -> MonitoringSettings:
    try:
        return MonitoringSettings()
    except ValidationError as error:
        wrong = error.errors(include_input=False, include_url=False)[0]
        reason = wrong["msg"].removeprefix("Value error, ")
        raise Misused(f"{str(wrong['loc'][0]).upper()}: {reason}") from None


def _definition(model: str, settings: MonitoringSettings) -> ModelDefinition:
    catalog = load_catalog(settings.catalog)
    if model not in catalog:
        raise Misused(f"the catalog declares no {model}; it declares {', '.join(catalog)}")
    return catalog[model]


def _print(text: str) -> None:
    try:
        print(text, flush=True)
    except BrokenPipeError:  # whoever reads has had enough (`… | head`)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m monitoring", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, command in COMMANDS.items():
        command.add_arguments(commands.add_parser(name, help=command.help))
    return parser


if __name__ == "__main__":
    sys.exit(main())
