"""`python -m serving`: starts the service as settings say, or prints the table of settings for the README."""

from __future__ import annotations

import argparse
import os
import sys

from pydantic_core import PydanticUndefined

from serving.door import check_service, settings_at_the_door
from serving.settings import Settings

GRACE_SECONDS = 30
# Longer than load balancers keep an idle connection (ALB and ingress-nginx: 60 s): they close it, never we, so no request meets a
# connection that is being closed.
KEEP_ALIVE_SECONDS = 75


def main() -> int:
    arguments = argparse.ArgumentParser(prog="python -m serving", description=__doc__)
    arguments.add_argument("command", nargs="?", choices=("serve", "settings"), default="serve")
    if arguments.parse_args().command == "settings":
        print(settings_table())
        return 0
    return _serve()


def _serve() -> int:
    settings = settings_at_the_door(check_service)
    settings.drain_file.unlink(missing_ok=True)  # of the container before: a volume outlives its restart
    bentoml = os.path.join(os.path.dirname(sys.executable), "bentoml")
    command = [
        bentoml,
        "serve",
        "service:Slipway",
        "--host",
        settings.api_host,
        "--port",
        str(settings.api_port),
        "--timeout-graceful-shutdown",
        str(GRACE_SECONDS),
        "--timeout-keep-alive",
        str(KEEP_ALIVE_SECONDS),
    ]
    os.environ.setdefault("BENTOML_DO_NOT_TRACK", "True")  # it would report that it serves
    os.execv(bentoml, command)


def settings_table() -> str:
    """The settings as Markdown: environment variable, default, meaning."""
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
