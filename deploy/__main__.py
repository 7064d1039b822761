"""`python -m deploy COMMAND`: every step from a commit to a rendered production change, as the Makefile and CI call it."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import sys
from collections.abc import Sequence
from types import ModuleType

from deploy import commands
from deploy.errors import DeliveryError


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: the command's own, or that of its error."""
    options = _parser(command_modules()).parse_args(arguments)
    try:
        return int(options.run(options))
    except DeliveryError as error:
        print(f"{options.command}: {error}", file=sys.stderr)
        return error.exit_code


def command_modules() -> dict[str, ModuleType]:
    """By the name of the command."""
    names = [module.name for module in pkgutil.iter_modules(commands.__path__)]
    return {name.replace("_", "-"): importlib.import_module(f"{commands.__name__}.{name}") for name in names}


def _parser(found: dict[str, ModuleType]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m deploy", description=__doc__)
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, module in found.items():
        command = subparsers.add_parser(name, help=module.HELP, description=module.__doc__)
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    return parser


if __name__ == "__main__":
    sys.exit(main())
