"""A small disk that can be filled up: a file system in memory of its own, mounted where the spool is to be."""

from __future__ import annotations

import contextlib
import os
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
    """Mounting is root's; elsewhere `sudo` must ask for no password, as on machines that run a project's tests."""
    folder.mkdir(parents=True)
    as_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    options = f"size={BYTES},mode=0777"
    subprocess.run([*as_root, "mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], check=True, timeout=20)
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run([*as_root, "umount", "-l", folder], check=True, timeout=20)
