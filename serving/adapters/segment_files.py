"""The spool's file layer on a POSIX file system."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path

from serving.spool import NEW


class PosixSegmentFiles:
    """Plain descriptors, unbuffered, so that a returned write is in the kernel and survives a kill of the process."""

    def create(self, path: Path) -> int:
        path.parent.mkdir(parents=True, exist_ok=True)
        hidden = path.with_suffix(NEW)
        descriptor = os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.rename(hidden, path)
        except OSError:
            os.close(descriptor)
            hidden.unlink(missing_ok=True)
            raise
        return descriptor

    def write(self, descriptor: int, block: bytes) -> None:
        view = memoryview(block)
        while view:
            view = view[os.write(descriptor, view) :]

    def truncate(self, descriptor: int, size: int) -> None:
        os.ftruncate(descriptor, size)

    def sync(self, descriptor: int) -> None:
        os.fdatasync(descriptor)

    def sync_folder(self, folder: Path) -> None:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def sync_above(self, folder: Path) -> None:
        """All of the way to the mount point: whoever made the folders may have died before he synced them."""
        folder = folder.resolve()
        while not folder.is_mount():
            folder = folder.parent
            with suppress(PermissionError):  # where we may not look we have made nothing
                self.sync_folder(folder)

    def close(self, descriptor: int) -> None:
        os.close(descriptor)

    def rename(self, source: Path, target: Path) -> None:
        os.rename(source, target)

    def entries(self, folder: Path) -> list[tuple[str, int]]:
        found = []
        if folder.is_dir():
            with os.scandir(folder) as entries:
                for entry in entries:
                    try:
                        found.append((entry.name, entry.stat().st_size))
                    except FileNotFoundError:  # shipped and deleted while we were looking
                        continue
        return found
