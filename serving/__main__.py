"""`python -m serving`: starts the service as settings say, or prints the table of settings for the README."""

from __future__ import annotations

import argparse
import os
import sys

from pydantic import ValidationError
from pydantic_core import PydanticUndefined

from serving.served_models import refuse_impossible
from serving.settings import Settings

GRACE_SECONDS = 30


def main() -> int:
    arguments = argparse.ArgumentParser(prog="python -m serving", description=__doc__)
    arguments.add_argument("command", nargs="?", choices=("serve", "settings"), default="serve")
    if arguments.parse_args().command == "settings":
        print(settings_table())
        return 0
    return _serve()


def _serve() -> int:
    try:
        settings = Settings()
    except ValidationError as error:
        for item in error.errors(include_input=False, include_url=False):
            name = ".".join(str(part) for part in item["loc"]).upper() or "settings"
            print(f"{name}: {item['msg']}", file=sys.stderr)
        return 2
    try:
        refuse_impossible(settings)
    except (ValueError, ImportError) as error:
        print(error, file=sys.stderr)
        return 2
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
    ]
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
