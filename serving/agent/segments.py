"""The agent's side of the spool: finds sealed segments, adopts those of dead writers, reads and deletes them."""

from __future__ import annotations

import fcntl
import os
import time
from dataclasses import dataclass
from pathlib import Path

import msgspec

from records.prediction_record import PredictionRecord
from serving.spool import OPEN, SEALED, read_frames, records_in_name

_decode = msgspec.json.Decoder(PredictionRecord).decode


@dataclass(frozen=True)
class SegmentContent:
    """What a segment held: its readable records, and how many were lost to corruption (at least; what follows a
    corrupt frame cannot be counted in a segment that was never sealed)."""

    records: list[PredictionRecord]
    corrupt: int


class SegmentFolder:
    """One spool folder; the agent is its only reader."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def sealed(self) -> list[Path]:
        """Complete segments, oldest first."""
        found = [(path.stat().st_mtime, path.name, path) for path in self._folder.glob(f"*{SEALED}")]
        return [path for *_, path in sorted(found)]

    def pending_records(self) -> int:
        return sum(records_in_name(path) for path in self._folder.glob(f"*{SEALED}"))

    def adopt_orphans(self) -> int:
        """Seals the open segments whose writer is gone, which their free lock proves. Returns how many."""
        return sum(self._adopt(path) for path in self._folder.glob(f"*{OPEN}"))

    def _adopt(self, path: Path) -> bool:
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
            count = len(self.read(path).records)
            path.rename(path.with_name(f"{path.stem}-{count}{SEALED}"))
            return True
        except OSError:  # locked by its writer, or no segment at all
            return False
        finally:
            os.close(descriptor)

    def read(self, path: Path) -> SegmentContent:
        records, corrupt = [], 0
        for payload in read_frames(path.read_bytes()):
            try:
                if payload is None:
                    raise msgspec.DecodeError("checksum")
                records.append(_decode(payload))
            except (msgspec.DecodeError, UnicodeDecodeError):
                corrupt += 1
        if path.suffix == SEALED:  # its name says how many it should hold
            corrupt = max(corrupt, records_in_name(path) - len(records))
        return SegmentContent(records, corrupt)

    def delete(self, path: Path) -> None:
        path.unlink()

    def set_aside(self, path: Path) -> None:
        """Keeps a segment with corrupt frames for a person to look at; it is never shipped twice."""
        path.rename(path.with_suffix(".corrupt"))

    def set_aside_before(self, moment: float) -> list[Path]:
        """Segments that were set aside and were last written before `moment`, in seconds since the epoch."""
        return [path for path in self._folder.glob("*.corrupt") if path.stat().st_mtime < moment]

    def oldest_age_seconds(self) -> float:
        sealed = self.sealed()
        return max(0.0, time.time() - sealed[0].stat().st_mtime) if sealed else 0.0
