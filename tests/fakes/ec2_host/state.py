"""What the fake programs share between calls: files in one folder, so that every program may be a process of its own."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

STOP_SECONDS = 10.0


class HostState:
    """`calls` are in order; `images` are those that were pulled; a container or unit is a file with what runs in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.parameters = folder / "parameters"
        self.containers = folder / "containers"
        self.units = folder / "units"
        for part in (self.parameters, self.containers, self.units):
            part.mkdir(parents=True, exist_ok=True)

    @property
    def calls(self) -> list[str]:
        return self._lines("calls")

    @property
    def images(self) -> list[str]:
        return self._lines("images")

    @images.setter
    def images(self, names: list[str]) -> None:
        (self.folder / "images").write_text("".join(f"{name}\n" for name in names))

    def record(self, program: str, arguments: list[str]) -> None:
        with (self.folder / "calls").open("a") as calls:
            calls.write(" ".join([program, *arguments]).replace("\n", " ") + "\n")

    def is_registered(self, image: str) -> bool:
        """Whether the registry has it; tests say so by name."""
        return image in self._lines("registry")

    def register(self, image: str) -> None:
        with (self.folder / "registry").open("a") as registry:
            registry.write(f"{image}\n")

    def _lines(self, name: str) -> list[str]:
        path = self.folder / name
        return path.read_text().splitlines() if path.exists() else []


def process_of(path: Path) -> int | None:
    """The living process that the file names."""
    try:
        number = int(path.read_text().split()[0])
        os.kill(number, 0)
    except (OSError, ValueError, IndexError):
        return None
    return None if _is_zombie(number) else number


def end(number: int, *, seconds: float = STOP_SECONDS) -> None:
    """SIGTERM, and SIGKILL when that was not enough."""
    os.kill(number, signal.SIGTERM)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            os.kill(number, 0)
        except ProcessLookupError:
            return
        if _is_zombie(number):
            return
        time.sleep(0.02)
    os.kill(number, signal.SIGKILL)


def _is_zombie(number: int) -> bool:
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True
