"""The spool's file layer in memory: what a disk may do wrong, on demand."""

from __future__ import annotations

import errno
from pathlib import Path


class MemorySegmentFiles:
    """SegmentFiles. `calls` says what was asked; `fail` maps an operation to the errors that its next calls raise.

    A failing write leaves `torn_bytes` of its block behind, as a full disk does.
    """

    def __init__(self) -> None:
        self.files: dict[Path, bytes] = {}
        self.calls: list[str] = []
        self.fail: dict[str, list[OSError]] = {}
        self.torn_bytes = 0
        self.open: dict[int, Path] = {}
        self.synced: dict[Path, int] = {}
        self._next = 3

    def create(self, path: Path) -> int:
        self._called("create")
        if path in self.files:
            raise FileExistsError(path)
        self._next += 1
        self.files[path], self.open[self._next] = b"", path
        return self._next

    def write(self, descriptor: int, block: bytes) -> None:
        path = self.open[descriptor]
        try:
            self._called("write")
        except OSError:
            self.files[path] += block[: self.torn_bytes]
            raise
        self.files[path] += block

    def truncate(self, descriptor: int, size: int) -> None:
        self._called("truncate")
        path = self.open[descriptor]
        self.files[path] = self.files[path][:size]

    def sync(self, descriptor: int) -> None:
        self._called("sync")
        path = self.open[descriptor]
        self.synced[path] = len(self.files[path])

    def sync_folder(self, folder: Path) -> None:
        self._called("sync_folder")

    def sync_above(self, folder: Path) -> None:
        self._called("sync_above")

    def close(self, descriptor: int) -> None:
        self._called("close")
        del self.open[descriptor]

    def rename(self, source: Path, target: Path) -> None:
        self._called("rename")
        self.files[target] = self.files.pop(source)
        for descriptor, path in self.open.items():
            if path == source:
                self.open[descriptor] = target

    def entries(self, folder: Path) -> list[tuple[str, int]]:
        return [(path.name, len(content)) for path, content in self.files.items() if path.parent == folder]

    def _called(self, name: str) -> None:
        self.calls.append(name)
        if failures := self.fail.get(name):
            raise failures.pop(0)


def no_space() -> OSError:
    return OSError(errno.ENOSPC, "No space left on device")
