"""The local prediction log: append-only, checksummed segments that a worker writes before it answers.

A segment is a file of frames, each `<length u32><crc32 u32><payload>`. Its life is in its name:

    <writer>-<sequence>.open             being written; the writer holds an flock on it
    <writer>-<sequence>-<records>.sealed complete; the agent ships it into SQL and deletes it

An `.open` segment whose lock is free lost its writer: the agent adopts it (`serving.agent.segments`). What was written
before an answer survives any kill of any process; `Durability.DISK` also survives power loss.
"""

from __future__ import annotations

import os
import struct
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from serving.ports import SegmentFiles

HEADER = struct.Struct("<II")
MAX_FRAME_BYTES = 16 * 1024 * 1024
OPEN, SEALED = ".open", ".sealed"


class SpoolFull(Exception):
    """The spool has reached its cap."""


def frame(payload: bytes) -> bytes:
    return HEADER.pack(len(payload), zlib.crc32(payload)) + payload


def read_frames(content: bytes) -> Iterator[bytes | None]:
    """The payloads of a segment in order; None stands for a corrupt one, after which nothing can be trusted.

    A torn tail, the trace of a writer killed inside a write that it never acknowledged, simply ends the segment.
    """
    position = 0
    while position + HEADER.size <= len(content):
        length, checksum = HEADER.unpack_from(content, position)
        start, end = position + HEADER.size, position + HEADER.size + length
        if length > MAX_FRAME_BYTES:
            yield None
            return
        if end > len(content):
            return
        payload = content[start:end]
        if zlib.crc32(payload) != checksum:
            yield None
            return
        yield payload
        position = end


def records_in_name(path: Path) -> int:
    """How many records a sealed segment says it holds; none for a file that somebody else put there."""
    count = path.stem.rpartition("-")[2]
    return int(count) if count.isdigit() else 0


@dataclass(frozen=True, kw_only=True)
class SpoolLimits:
    """When a segment is handed over, and how much all of them may hold together."""

    spool_bytes: int
    segment_bytes: int = 8 * 1024 * 1024
    seal_after_seconds: float = 0.5


class SpoolWriter:
    """Appends one turn's records at a time. Not thread-safe: it belongs to one event loop."""

    def __init__(
        self,
        folder: Path,
        files: SegmentFiles,
        limits: SpoolLimits,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder, self._files, self._limits, self._clock = folder, files, limits, clock
        self._writer = f"{os.getpid()}.{os.urandom(4).hex()}"
        self._sequence = 0
        self._descriptor: int | None = None
        self._size = self._records = 0
        self._opened_at = 0.0
        self._folder_bytes = self._folder_records = 0
        self._look()

    def append(self, payloads: Sequence[bytes]) -> None:
        """Writes the records in one call. Raises OSError or SpoolFull; then none of them counts as written."""
        block = b"".join([frame(payload) for payload in payloads])
        if self.bytes_used + len(block) > self._limits.spool_bytes:
            raise SpoolFull(f"the spool holds {self.bytes_used} bytes")
        if self._size >= self._limits.segment_bytes:
            self.seal()
        if self._descriptor is None:
            self._open()
        assert self._descriptor is not None
        try:
            self._files.write(self._descriptor, block)
        except OSError:
            self._abandon()
            raise
        self._size += len(block)
        self._records += len(payloads)

    def sync(self) -> None:
        """Makes everything appended so far survive power loss."""
        if self._descriptor is not None:
            self._files.sync(self._descriptor)

    def tend(self) -> None:
        """Hands the open segment to the agent once it is old enough, and looks how full the folder is."""
        if (
            self._descriptor is not None
            and self._clock() - self._opened_at >= self._limits.seal_after_seconds
        ):
            self.seal()
        self._look()

    def seal(self) -> None:
        if self._descriptor is None:
            return
        sealed = self._folder / f"{self._writer}-{self._sequence:08d}-{self._records}{SEALED}"
        try:
            self._files.rename(self._path(), sealed)
        finally:  # a segment that could not be renamed is let go: its lock is free, so the agent adopts it
            descriptor, self._descriptor = self._descriptor, None
            self._folder_bytes += self._size
            self._folder_records += self._records
            self._size = self._records = 0
            self._files.close(descriptor)

    @property
    def pending_records(self) -> int:
        """Records written and not yet deleted by the agent, of every writer of this folder that has sealed them."""
        return self._folder_records + self._records

    @property
    def bytes_used(self) -> int:
        return self._folder_bytes + self._size

    def _look(self) -> None:
        own = self._path().name
        others = [(name, size) for name, size in self._files.entries(self._folder) if name != own]
        self._folder_bytes = sum(size for _, size in others)
        self._folder_records = sum(records_in_name(Path(name)) for name, _ in others if name.endswith(SEALED))

    def _path(self) -> Path:
        return self._folder / f"{self._writer}-{self._sequence:08d}{OPEN}"

    def _open(self) -> None:
        self._sequence += 1
        self._descriptor = self._files.create(self._path())
        self._opened_at = self._clock()

    def _abandon(self) -> None:
        """After a failed write the tail may be torn: cut it back to the last whole turn, and start a new segment."""
        assert self._descriptor is not None
        try:
            self._files.truncate(self._descriptor, self._size)
        finally:  # never written to again, or what follows would stand behind a torn frame
            self.seal()
