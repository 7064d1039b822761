"""`python -m k8s VERB`: asks a live cluster. Exit code 0: fine; 1: the answer is no; 2: it could not be asked.

A verb is a module of `k8s.commands`, found by name: in the image, which holds two of them, there are two verbs.
"""

from __future__ import annotations

import argparse
import importlib
import os
import pkgutil
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import TextIO

from k8s import commands
from k8s.errors import ClusterError
from k8s.report import Report, as_json, as_text, placed
from k8s.settings import ClusterSettings, read_settings
from k8s.terminal import Terminal

INTERRUPTED = 130


def main(
    arguments: Sequence[str] | None = None,
    *,
    settings: ClusterSettings | None = None,
    output: TextIO | None = None,
) -> int:
    """The exit code. What happens on the way goes to `output` as text, or to standard error where the output is JSON."""
    output = output or sys.stdout
    options = _parser(command_modules()).parse_args(arguments)
    options.settings = settings or read_settings()
    wants_json = options.output == "json"
    options.terminal = Terminal(sys.stderr if wants_json else output)
    try:
        report: Report = placed(options.run(options))
    except ClusterError as error:
        print(f"{options.verb}: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print(f"{options.verb}: interrupted", file=sys.stderr)
        return INTERRUPTED
    _print(as_json(report) if wants_json else as_text(report, colour=_coloured(options, output)), output)
    return report.exit_code


def _coloured(options: argparse.Namespace, output: TextIO) -> bool:
    return bool(options.settings.colour and output.isatty())


def _print(text: str, output: TextIO) -> None:
    try:
        print(text, file=output, flush=True)
    except BrokenPipeError:  # whoever reads has had enough (`… | head`): the answer is the same
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def command_modules() -> dict[str, ModuleType]:
    """By the name of the verb."""
    names = [module.name for module in pkgutil.iter_modules(commands.__path__)]
    return {name.replace("_", "-"): importlib.import_module(f"{commands.__name__}.{name}") for name in names}


def _parser(found: dict[str, ModuleType]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m k8s", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for name, module in found.items():
        verb = verbs.add_parser(name, help=module.HELP, description=module.__doc__)
        verb.add_argument("--namespace", "-n", default="", help="default: the context's, or that of this pod")
        verb.add_argument("--context", default="", help="context of the kubeconfig; default: the current one")
        verb.add_argument("--kubeconfig", default="", help="default: $KUBECONFIG, or ~/.kube/config")
        verb.add_argument("--timeout", type=float, default=module.TIMEOUT_SECONDS, metavar="SECONDS")
        verb.add_argument("--output", "-o", choices=("text", "json"), default="text")
        module.add_arguments(verb)
        verb.set_defaults(run=module.run)
    return parser


if __name__ == "__main__":
    sys.exit(main())
