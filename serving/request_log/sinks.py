"""Where lines end up: on standard output, which workers share with everybody, and in files of a bounded size."""

from __future__ import annotations

import fcntl
import os
import select
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

# A pipe takes so much in one piece: lines of several workers do not get into each other (POSIX's least is 512).
PIECE_BYTES = select.PIPE_BUF
KEPT_FILES = 5


class StandardOutput:
    """Waits while nobody reads, so it belongs into a thread."""

    def __init__(self, descriptor: int = 1) -> None:
        self._descriptor = descriptor

    def write(self, lines: Sequence[bytes]) -> None:
        for piece in _pieces(lines):
            _write_all(self._descriptor, piece)


class RotatedFile:
    """A file that several workers append to. At `limit` bytes it becomes `<name>.1`, and what was that `<name>.2`."""

    def __init__(self, path: Path, *, limit: int) -> None:
        self._path, self._limit = path, limit
        self._descriptor: int | None = None

    def write(self, lines: Sequence[bytes]) -> None:
        block = b"".join(lines)
        with self._alone():
            descriptor = self._opened()
            size = os.fstat(descriptor).st_size
            if size and size + len(block) > self._limit:
                self._rotate()
                descriptor = self._opened()
            _write_all(descriptor, block)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(
            self._path.with_name(f".{self._path.name}.lock"), os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o640
        )
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _opened(self) -> int:
        """The file of this name, which another worker may have exchanged since we wrote last."""
        if self._descriptor is not None:
            try:
                if os.path.samestat(os.fstat(self._descriptor), os.stat(self._path)):
                    return self._descriptor
            except FileNotFoundError:
                pass
            os.close(self._descriptor)
            self._descriptor = None
        self._descriptor = os.open(self._path, os.O_CREAT | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC, 0o640)
        return self._descriptor

    def _rotate(self) -> None:
        for number in range(KEPT_FILES - 1, 0, -1):
            older = self._numbered(number)
            if older.exists():
                older.rename(self._numbered(number + 1))
        self._path.rename(self._numbered(1))

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")


def _pieces(lines: Sequence[bytes]) -> Iterator[bytes]:
    """Whole lines together, as many as stay in one piece."""
    piece: list[bytes] = []
    size = 0
    for line in lines:
        if piece and size + len(line) > PIECE_BYTES:
            yield b"".join(piece)
            piece, size = [], 0
        piece.append(line)
        size += len(line)
    if piece:
        yield b"".join(piece)


def _write_all(descriptor: int, block: bytes) -> None:
    rest = memoryview(block)
    while rest:
        try:
            rest = rest[os.write(descriptor, rest) :]
        except BlockingIOError:  # somebody who shares it asked not to wait
            select.select([], [descriptor], [])
