"""The local prediction log: append-only, checksummed segments that a worker writes before it answers.

A segment is a file of frames, each `<length u32><crc32 u32><payload>`. Its life is in its name:

    <writer>-<sequence>.open             being written; the writer holds an flock on it
    <writer>-<sequence>-<records>.sealed complete; the agent ships it into SQL and deletes it
    …-<records>.corrupt                  damaged; what is readable of it is in SQL, the rest is for a person to look at

An `.open` segment whose lock is free lost its writer: the agent adopts it (`serving.agent.segments`). What was written
before an answer survives any kill of any process; `Durability.DISK` also survives power loss.
"""

from __future__ import annotations

import os
import struct
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from serving.ports import SegmentFiles

HEADER = struct.Struct("<II")
MAX_FRAME_BYTES = 1 << 24
NEW, OPEN, SEALED, CORRUPT = ".new", ".open", ".sealed", ".corrupt"
SEGMENTS_AT_EASE, LONGEST_WAIT = 20, 20


class SpoolFull(Exception):
    """The spool has reached its cap."""


def frame(payload: bytes) -> bytes:
    return HEADER.pack(len(payload), zlib.crc32(payload)) + payload


def read_frames(content: bytes) -> Iterator[bytes | None]:
    """The payloads of a segment in order; None stands for damage, behind which reading goes on at the next whole frame.

    A torn tail, the trace of a write that was never acknowledged, simply ends the segment; a disk may have kept its
    length and not its bytes, which are zeros then.
    """
    position, end = 0, len(content.rstrip(b"\0"))  # no payload, which is JSON, ends in a zero
    while position < end:
        payload = _payload_at(content, position, end)
        if payload is not None:
            yield payload
            position += HEADER.size + len(payload)
            continue
        behind = _next_frame(content, position, end)
        if behind or not _torn(content, position, end):
            yield None
        position = behind or end


def _payload_at(content: bytes, position: int, end: int) -> bytes | None:
    if position + HEADER.size >= end:
        return None
    length, checksum = HEADER.unpack_from(content, position)
    start = position + HEADER.size
    if not 0 < length < MAX_FRAME_BYTES or start + length > end:
        return None
    payload = content[start : start + length]
    return payload if zlib.crc32(payload) == checksum else None


def _next_frame(content: bytes, position: int, end: int) -> int:
    """Where the next whole frame begins, or 0. The last byte of a length is zero, and JSON has no zeros: no caller can
    put a frame inside a payload.
    """
    zero = content.find(b"\0", position + HEADER.size, end)
    while zero != -1:
        if _payload_at(content, zero - 3, end) is not None:
            return zero - 3
        zero = content.find(b"\0", zero + 1, end)
    return 0


def _torn(content: bytes, position: int, end: int) -> bool:
    if position + HEADER.size >= end:
        return True
    length, _ = HEADER.unpack_from(content, position)
    return length < MAX_FRAME_BYTES and position + HEADER.size + int(length) > end


def records_in_name(path: Path) -> int | None:
    """How many records a sealed segment says it holds: what stands behind them was refused, and could not be cut off. None
    for a file that says nothing, which somebody else put there."""
    count = path.stem.rpartition("-")[2]
    return int(count) if count.isdigit() else None


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
        self._named = self._housed = False  # whether its name, and those above it, survive power loss
        self._size = self._records = 0
        self._opened_at = 0.0
        self._folder_bytes = self._folder_records = self._folder_segments = 0
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
        """Makes everything appended so far survive power loss, the segment's name too.

        After an OSError nobody knows which of it is on disk, and the kernel reports each failure once: syncing again would
        only seem to succeed. So the segment is let go, and what follows does not stand behind a gap.
        """
        if self._descriptor is None:
            return
        try:
            self._files.sync(self._descriptor)
            self._sync_names()
        except OSError:
            with suppress(OSError):
                self.seal()
            raise

    def _sync_names(self) -> None:
        """Once per segment, and once what is above. A lost rename or deletion needs none: the segment is there under its
        other name, or once more.
        """
        if not self._named:
            self._files.sync_folder(self._folder)
            self._named = True
        if not self._housed:
            self._files.sync_above(self._folder)
            self._housed = True

    def tend(self) -> None:
        """Hands the open segment to the agent once it is old enough, and looks how full the folder is."""
        if self._records and self._clock() - self._opened_at >= self._patience():
            self.seal()
        self._look()

    def _patience(self) -> float:
        """While nobody takes segments away they become fewer and larger: an hour of twice a second is a folder of thousands."""
        waiting = min(self._folder_segments // SEGMENTS_AT_EASE, LONGEST_WAIT)
        return self._limits.seal_after_seconds * (1 + waiting)

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
        self._folder_segments = len(others)
        self._folder_bytes = sum(size for _, size in others)
        self._folder_records = sum(
            records_in_name(Path(name)) or 0 for name, _ in others if name.endswith(SEALED)
        )

    def _path(self) -> Path:
        return self._folder / f"{self._writer}-{self._sequence:08d}{OPEN}"

    def _open(self) -> None:
        self._sequence += 1
        self._descriptor = self._files.create(self._path())
        self._opened_at, self._named = self._clock(), False

    def _abandon(self) -> None:
        """After a failed write the tail may be torn: cut it back to the last whole turn. What holds records is handed over,
        and an empty one goes on: a full disk would otherwise collect one for every turn.
        """
        assert self._descriptor is not None
        clean = False
        try:
            self._files.truncate(self._descriptor, self._size)
            clean = self._records == 0
        finally:  # a torn one is never written to again, or what follows would stand behind a torn frame
            if not clean:
                self.seal()
