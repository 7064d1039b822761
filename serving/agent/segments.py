"""The agent's side of the spool: finds sealed segments, adopts those of dead writers, reads and deletes them."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from records.prediction_record import PredictionRecord
from serving.spool import CORRUPT, NEW, OPEN, SEALED, read_frames, records_in_name

ABANDONED_SECONDS = 60.0  # between its creation and its lock a new file looks abandoned

_decode = msgspec.json.Decoder(PredictionRecord).decode


@dataclass(frozen=True)
class SegmentContent:
    """What a segment held: its readable records, and how many were lost to corruption (at least: how many stood in a
    damaged stretch cannot be counted in a segment that was never sealed)."""

    records: list[PredictionRecord]
    corrupt: int


def read_records(content: bytes, *, said: int | None = None) -> SegmentContent:
    """`said` is how many records the segment's name says that it holds; there may be more, of a turn that was refused."""
    records, corrupt = [], 0
    for payload in read_frames(content):
        try:
            if payload is None:
                raise msgspec.DecodeError("checksum")
            records.append(_decode(payload))
        except (msgspec.DecodeError, UnicodeDecodeError):
            corrupt += 1
    return SegmentContent(records[:said], max(corrupt, (said or 0) - len(records)))


class SegmentFolder:
    """One spool folder; the agent is its only reader."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def sealed(self) -> list[Path]:
        """Complete segments, oldest first."""
        found = [(path.stat().st_mtime, path.name, path) for path in self._folder.glob(f"*{SEALED}")]
        return [path for *_, path in sorted(found)]

    def pending_records(self) -> int:
        return sum(records_in_name(path) or 0 for path in self._folder.glob(f"*{SEALED}"))

    def adopt_orphans(self) -> int:
        """Seals the open segments whose writer is gone, which their free lock proves. Returns how many."""
        for path in self._folder.glob(f"*{NEW}"):
            if _is_old(path):
                self._left_by_the_dead(path, Path.unlink)
        return sum(self._left_by_the_dead(path, self._adopt) for path in self._folder.glob(f"*{OPEN}"))

    def _left_by_the_dead(self, path: Path, then: Callable[[Path], None]) -> bool:
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except (
            OSError
        ):  # its writer has sealed it meanwhile, or we are out of descriptors: the next look tells
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not path.exists():
                return False
            then(path)
            return True
        except OSError:  # locked by its writer, or no segment at all
            return False
        finally:
            os.close(descriptor)

    def _adopt(self, path: Path) -> None:
        count = len(self.read(path).records)
        path.rename(path.with_name(f"{path.stem}-{count}{SEALED}"))

    def read(self, path: Path) -> SegmentContent:
        return read_records(
            path.read_bytes(), said=records_in_name(path) if path.suffix in (SEALED, CORRUPT) else None
        )

    def delete(self, path: Path) -> None:
        path.unlink()

    def set_aside(self, path: Path) -> None:
        """Keeps a segment with corrupt frames for a person to look at; it is never shipped twice."""
        path.rename(path.with_suffix(CORRUPT))

    def set_aside_count(self) -> int:
        return sum(1 for _ in self._folder.glob(f"*{CORRUPT}"))

    def set_aside_before(self, moment: float) -> list[Path]:
        """Segments that were set aside and were last written before `moment`, in seconds since the epoch."""
        return [path for path in self._folder.glob(f"*{CORRUPT}") if path.stat().st_mtime < moment]

    def oldest_age_seconds(self) -> float:
        sealed = self.sealed()
        return max(0.0, time.time() - sealed[0].stat().st_mtime) if sealed else 0.0


def _is_old(path: Path) -> bool:
    """Whether its writer died before it became a segment: nothing was written to it. It is not locked to find out, because
    a writer that finds his new file locked gives it up."""
    try:
        return path.stat().st_mtime < time.time() - ABANDONED_SECONDS
    except OSError:  # it is a segment by now
        return False
