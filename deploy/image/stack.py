"""`make up`: compose.yaml with secrets that were made for this machine and images that were built on it."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.errors import ImageFailed
from deploy.image.building import TRAINING_SUFFIX, reference_of
from deploy.image.engine import Engine
from deploy.image.programs import run
from deploy.image.settings import ImageSettings
from deploy.image.source import source_of

FOLDER = Path("var/compose")
PROJECT_NAME = "slipway"
NOBODY_ELSE = "# Whom the service believes besides itself, and how often callers may ask: docs/identity.md.\n"


@dataclass(frozen=True)
class Stack:
    """One compose project of one working tree."""

    project: Path
    settings: ImageSettings
    engine: Engine

    def up(self, profiles: Sequence[str] = ()) -> str:
        image = self.settings.stack_image or reference_of(self.settings, source_of(self.project))
        if not self.engine.succeeds("image", "inspect", image):
            raise ImageFailed(
                f"there is no image {image}: `make image` builds it, or STACK_IMAGE names another"
            )
        write_secrets(self.project / FOLDER)
        self._compose(image, profiles, "up", "--detach")
        return f"the stack of {image} starts; `make down` stops it. A user: {self._create_user()}"

    def down(self, *, volumes: bool = False) -> str:
        self._compose("unused", ("registry",), "down", *(["--volumes"] if volumes else []))
        return "the stack is down" + (", and its data gone" if volumes else "")

    def _compose(self, image: str, profiles: Sequence[str], *arguments: str) -> None:
        training = reference_of(self.settings, source_of(self.project), suffix=TRAINING_SUFFIX)
        variables = {
            **self.engine.variables,
            "SLIPWAY_IMAGE": image,
            "SLIPWAY_TRAINING_IMAGE": training,
            "COMPOSE_PROFILES": ",".join(profiles),
        }
        command = [*self._program(), "--project-name", PROJECT_NAME, "--file", "compose.yaml"]
        run([*command, *arguments], cwd=self.project, extra=variables)

    def _program(self) -> list[str]:
        """The engine's plug-in, or the program that Debian packages."""
        if self.engine.succeeds("compose", "version"):
            return [self.engine.program, "compose"]
        return ["docker-compose"]

    def _create_user(self) -> str:
        """By label: the two generations of compose name containers differently."""
        container = f"$({self.engine.program} ps -qf label=com.docker.compose.service=slipway)"
        return f"{self.engine.program} exec -it {container} python -m auth create-user ada"


def write_secrets(folder: Path) -> None:
    """Random ones for what has none yet: a second start finds the passwords that the databases were made with.

    The folder is its owner's alone; the files can be read by whatever user a container has.
    """
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    postgres = _kept(folder / "postgres-password", secrets.token_urlsafe(24))
    redis = _kept(folder / "redis-password", secrets.token_urlsafe(24))
    _kept(folder / "jwt-secret-key", secrets.token_urlsafe(48))
    _kept(folder / "jwt-signing-key", "")
    _kept(folder / "auth-policy", NOBODY_ELSE)
    _kept(folder / "model-verify-keys", "")
    _kept(folder / "database-url", f"postgresql://slipway:{postgres}@postgres:5432/slipway")
    _kept(folder / "redis-url", f"redis://:{redis}@redis:6379/0")


def _kept(path: Path, value: str) -> str:
    """What the file says; it is written first where it is missing."""
    if not path.is_file():
        path.write_text(value)
        path.chmod(0o444)
    return path.read_text()
