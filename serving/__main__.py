"""`python -m serving`: starts the service as settings say, or prints the table of settings, or what is in the spool.

BentoML's command runs in this process: a second interpreter would read everything that the door has read once more. What
takes time to import is imported in functions, after the first signal has somewhere to go.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from serving.settings import Settings

# Longer than load balancers keep an idle connection (ALB and ingress-nginx: 60 s): they close it, never we, so no request meets a
# connection that is being closed.
KEEP_ALIVE_SECONDS = 75


def main() -> int:
    arguments = argparse.ArgumentParser(prog="python -m serving", description=__doc__)
    arguments.add_argument("command", nargs="?", choices=("serve", "settings", "spool"), default="serve")
    arguments.add_argument("segment", nargs="?", default="", help="with `spool`: print its records")
    asked = arguments.parse_args()
    if asked.command != "serve":
        return _spool(asked.segment) if asked.command == "spool" else _settings()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave_before_anything_runs)
    _serve()


def _leave_before_anything_runs(number: int, frame: FrameType | None) -> None:
    """Until BentoML has handlers of its own, which it sets before it starts a worker.

    The kernel keeps SIGTERM from a container's first process that has none, and the pod would wait for its SIGKILL.
    """
    os._exit(0)


def _serve() -> NoReturn:
    from serving.door import check_service, settings_at_the_door
    from serving.lifecycle.parent import attend
    from serving.lifecycle.settings import prepare_workers

    settings = settings_at_the_door(check_service)
    settings.drain_file.unlink(missing_ok=True)  # of the container before: a volume outlives its restart
    prepare_workers()
    attend()
    from bentoml_cli.cli import cli

    cli.main(args=bentoml_arguments(settings), prog_name="bentoml")


def bentoml_arguments(settings: Settings) -> list[str]:
    return [
        "serve",
        "service:Slipway",
        "--host",
        settings.api_host,
        "--port",
        str(settings.api_port),
        "--timeout-graceful-shutdown",
        str(settings.drain_limit_seconds),
        "--timeout-keep-alive",
        str(KEEP_ALIVE_SECONDS),
    ]


def _settings() -> int:
    print(settings_table())
    return 0


def _spool(segment: str) -> int:
    from serving.door import settings_at_the_door
    from serving.spool_report import print_spool

    return print_spool(settings_at_the_door(lambda settings: None).spool_dir, segment)


def settings_table() -> str:
    """The settings as Markdown: environment variable, default, meaning."""
    from pydantic_core import PydanticUndefined

    from serving.settings import Settings

    lines = ["| variable | default | meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = "" if field.default is PydanticUndefined or field.default is None else str(field.default)
        if hasattr(field.default, "get_secret_value"):
            default = field.default.get_secret_value()
        shown = f"`{default}`" if default else "–"
        lines.append(f"| `{name.upper()}` | {shown} | {field.description} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
