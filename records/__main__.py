"""Command line of the database: `python -m records upgrade|current|erase`; which one, an option or the environment says."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from sqlalchemy.exc import SQLAlchemyError

from records.actor import add_actor
from records.database_option import add_database_options, database_url
from records.engine import open_existing
from records.erase_command import add_erase, erase
from records.migrate import is_current, upgrade

COMMANDS = {
    "upgrade": "bring the database to the current schema",
    "current": "is the schema the one that this code was written for",
    "erase": "take a person out of everything that was logged; what was counted stays",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """`current` exits with 1 when the schema is not the one that this code was written for."""
    options = _parser().parse_args(arguments)
    try:
        url = database_url(options)
        if options.command == "upgrade":
            known = upgrade(url)
            print(
                "the schema is current" if known else "the schema is newer than this code, and is left alone"
            )
            return 0
        if options.command == "erase":
            print(erase(options, url))
            return 0
        return _report(url)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    except SQLAlchemyError as error:
        print(
            f"the database cannot be used: {getattr(error, 'orig', None) or type(error).__name__}",
            file=sys.stderr,
        )
        return 2


def _report(url: str) -> int:
    engine = open_existing(url)
    try:
        current = is_current(engine)
    finally:
        engine.dispose()
    print(
        "the schema is current" if current else "the schema is not current: run `python -m records upgrade`"
    )
    return 0 if current else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m records", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, said in COMMANDS.items():
        command = commands.add_parser(name, help=said, description=said)
        add_database_options(command)
        if name == "erase":
            add_erase(command)
            add_actor(command)
    return parser


if __name__ == "__main__":
    sys.exit(main())
