"""`make run-prod`: the image in the foreground, held as tightly as in the production test, with a database of its own."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable

from deploy.image.container import RUN_FOLDER, Cell
from deploy.image.engine import Engine
from deploy.image.settings import program_environment

PORT = 8090
NAME = "slipway-prod"
USER = 10034


def command_to_serve(image: str, engine: Engine) -> list[str]:
    """A signing key and a database of its own, and the models that it carries. As a machine for development, so that the
    agent brings the schema."""
    variables = {
        "SLIPWAY_ENV": "dev",
        "JWT_SECRET_KEY": secrets.token_urlsafe(48),
        "DATABASE_URL": f"sqlite:///{RUN_FOLDER}/slipway.db",
        "MODEL_SOURCE": "path",
    }
    options = Cell(image=image, user=USER, variables=variables).options()
    options += ["--tmpfs", f"{RUN_FOLDER}:mode=1777,size=256m", "--name", NAME]
    return [engine.program, "run", "--rm", "--publish", f"127.0.0.1:{PORT}:8000", *options, image]


def serve(image: str, engine: Engine, say: Callable[[str], None]) -> int:
    """Becomes the engine's client: signals go to the container."""
    say(f"http://127.0.0.1:{PORT}; a user: {engine.program} exec -it {NAME} python -m auth create-user ada")
    command = command_to_serve(image, engine)
    os.execvpe(command[0], command, program_environment(engine.variables))
