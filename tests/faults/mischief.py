"""A disk that refuses and a clock that jumps, for a served instance that knows nothing of it, and without root.

`mischief.c` stands before the C library of its processes. What files got from the kernel keeps the kernel's time; what they are
touched with is the shifted one.
"""

from __future__ import annotations

import errno
import shutil
import struct
import subprocess
from pathlib import Path

from tests.architecture.source_tree import ROOT

SOURCE = Path(__file__).with_name("mischief.c")
CHECKS_PYTHON = ROOT / ".venv-checks" / "bin" / "python"
LIBRARY, ORDERS = "mischief.so", "mischief"
SETTINGS = {"LD_PRELOAD": "{folder}/" + LIBRARY, "MISCHIEF": "{folder}/" + ORDERS}
FORMAT = struct.Struct("=qii256s")


def build(folder: Path) -> None:
    """Before a service with these settings starts."""
    Mischief(folder).ends()
    flags = ["-shared", "-fPIC", "-O1", "-Wall", "-Werror"]
    subprocess.run([*compiler(), *flags, "-o", str(folder / LIBRARY), str(SOURCE)], check=True, timeout=120)


def compiler(path: str | None = None) -> list[str]:
    """The machine's, or else the one among the checks; `path` as in PATH."""
    return ["cc"] if shutil.which("cc", path=path) else [str(CHECKS_PYTHON), "-m", "ziglang", "cc"]


class Mischief:
    """Each method returns once it is in force."""

    def __init__(self, folder: Path) -> None:
        self._orders = folder / ORDERS
        self._spool = folder / "spool"

    def disk_is_full(self) -> None:
        self._order(write_error=errno.ENOSPC)

    def disk_fails(self) -> None:
        self._order(write_error=errno.EIO, sync_error=errno.EIO)

    def sync_fails(self) -> None:
        self._order(sync_error=errno.EIO)

    def clock_jumps(self, seconds: int) -> None:
        self._order(clock_seconds=seconds)

    def ends(self) -> None:
        self._order()

    def _order(self, *, clock_seconds: int = 0, write_error: int = 0, sync_error: int = 0) -> None:
        """In place: the processes have mapped the file."""
        content = FORMAT.pack(clock_seconds, write_error, sync_error, str(self._spool).encode())
        with self._orders.open("r+b" if self._orders.exists() else "wb") as orders:
            orders.write(content)
