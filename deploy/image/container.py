"""One container of the image, held as tightly as the manifests hold a pod: nothing writable but what is declared."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from deploy.image.engine import Engine
from deploy.image.programs import attempt

POLL_SECONDS = 0.5
ONCE_SECONDS = 300
TEMPORARY = ("/tmp", "/var/lib/slipway/spool", "/var/lib/slipway/store")  # noqa: S108  # inside the container
RUN_FOLDER = "/var/lib/slipway/run"
PYTHON = "/app/.venv/bin/python"


@dataclass(frozen=True, kw_only=True)
class Cell:
    """What every container of a trial has in common. `mounts` are `host path:path[:ro]`."""

    image: str
    user: int
    mounts: Iterable[str] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    writable: Iterable[str] = TEMPORARY
    memory: str = "768m"
    processes: int = 128

    def options(self) -> list[str]:
        options = ["--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"]
        options += ["--user", f"{self.user}:{self.user}", "--memory", self.memory]
        options += ["--memory-swap", self.memory, "--pids-limit", str(self.processes)]
        for path in self.writable:
            options += ["--tmpfs", f"{path}:mode=1777,size=256m"]
        for mount in self.mounts:
            options += ["--volume", mount]
        for name, value in self.variables.items():
            options += ["--env", f"{name}={value}"]
        return options


@dataclass(frozen=True, kw_only=True)
class Finished:
    code: int
    said: str


def run_once(
    engine: Engine, cell: Cell, *arguments: str, given: str | None = None, entrypoint: str = ""
) -> Finished:
    """A command of the image in a container of its own."""
    command = [engine.program, "run", "--rm", "--interactive", *cell.options()]
    command += ["--entrypoint", entrypoint] if entrypoint else []
    done = attempt(
        [*command, cell.image, *arguments], extra=engine.variables, given=given, seconds=ONCE_SECONDS
    )
    return Finished(code=done.returncode, said=done.stdout + done.stderr)


@dataclass(frozen=True, kw_only=True)
class Container:
    """A running one."""

    engine: Engine
    name: str

    def python(self, code: str) -> Finished:
        """Runs a few lines inside, as the same user under the same limits."""
        done = attempt(
            [self.engine.program, "exec", self.name, PYTHON, "-c", code],
            extra=self.engine.variables,
            seconds=60,
        )
        return Finished(code=done.returncode, said=(done.stdout + done.stderr).strip())

    def becomes_healthy(self, *, seconds: float) -> bool:
        """By the image's own HEALTHCHECK. podman runs it when asked; Docker by itself."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self._is_healthy():
                return True
            time.sleep(POLL_SECONDS)
        return False

    def stop(self) -> tuple[int, float]:
        """Exit code after SIGTERM, and how long it took."""
        started = time.monotonic()
        self.engine.run("stop", "--time", "30", self.name)
        return int(self._state()["ExitCode"]), time.monotonic() - started

    def logs(self) -> str:
        done = attempt([self.engine.program, "logs", self.name], extra=self.engine.variables)
        return done.stdout + done.stderr

    def _is_healthy(self) -> bool:
        if self.engine.program.endswith("podman"):
            return self.engine.succeeds("healthcheck", "run", self.name)
        health = self._state().get("Health") or {}
        return bool(health.get("Status") == "healthy")

    def _state(self) -> dict[str, Any]:
        state: dict[str, Any] = json.loads(self.engine.run("inspect", self.name))[0]["State"]
        return state


def start(engine: Engine, cell: Cell, *, name: str, port: int) -> Container:
    """The image's default command, its API published on loopback."""
    published = ["--publish", f"127.0.0.1:{port}:8000"]
    engine.run("run", "--detach", "--name", name, *published, *cell.options(), cell.image)
    return Container(engine=engine, name=name)
