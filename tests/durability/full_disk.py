"""A small disk that can be filled up: a file system in memory of its own, mounted where the spool is to be."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

BYTES = 512 * 1024


@dataclass(frozen=True)
class SmallDisk:
    """`fill` takes what is free, `free` gives it back."""

    folder: Path

    def fill(self) -> None:
        with (self.folder / "ballast").open("wb", buffering=0) as ballast, contextlib.suppress(OSError):
            while True:
                ballast.write(bytes(4096))

    def free(self) -> None:
        (self.folder / "ballast").unlink()


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[SmallDisk]:
    """Needs root, as containers of tests have it; elsewhere `sudo make test`, or a mount namespace (`unshare -Urm`)."""
    folder.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={BYTES}", "tmpfs", folder], check=True, timeout=20)
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "-l", folder], check=True, timeout=20)
