"""Features from a snapshot on disk, mapped into memory: a few microseconds a look-up, shared by all workers' page cache."""

from __future__ import annotations

import asyncio
import hashlib
import mmap
from bisect import bisect_left
from collections.abc import Sequence
from pathlib import Path

import structlog

from modelkit.view_rows import FeatureSetMeta, Numbers, ViewRows
from serving.feature_snapshot import CorruptSnapshot, SnapshotPointer, SnapshotStore, key_halves, read_header
from serving.ports import LookedUp


class Snapshot:
    """One mapped file. It stays usable while anybody holds it, deleted or not."""

    def __init__(self, content: memoryview) -> None:
        self.meta, start = read_header(content)
        rows, self._width = self.meta.rows, len(self.meta.columns)
        arrays = content[start:]
        self._high = arrays[: 8 * rows].cast("Q")
        self._low = arrays[8 * rows : 16 * rows].cast("Q")
        self._numbers = arrays[16 * rows :].cast("d")

    def get(self, key: str) -> Numbers | None:
        high, low = key_halves(key)
        place = bisect_left(self._high, high)
        while place < self.meta.rows and self._high[place] == high:
            if self._low[place] == low:
                return self._numbers[place * self._width : (place + 1) * self._width].tolist()
            place += 1
        return None


def open_snapshot(path: Path, rows: ViewRows, *, digest: str) -> Snapshot:
    """A snapshot that is whole and fits the view. Raises CorruptSnapshot, or OSError."""
    with path.open("rb") as file:
        if path.stat().st_size == 0:
            raise CorruptSnapshot("the file is empty")
        content = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    if hashlib.sha256(content).hexdigest() != digest:
        raise CorruptSnapshot("the file differs from its digest")
    snapshot = Snapshot(content)
    if refusal := rows.refusal(snapshot.meta):
        raise CorruptSnapshot(refusal)
    return snapshot


class SnapshotFeatures:
    """Implements `FeatureSource`: follows the pointer that the agent replaces, one stat a look."""

    kind = "snapshot"

    def __init__(self, rows: ViewRows, store: SnapshotStore) -> None:
        self._rows, self._store = rows, store
        self._mark: tuple[int, int] | None = None
        self._snapshot: Snapshot | None = None
        self.reason = f"features {rows.view.name}: the agent has not compiled a snapshot yet"
        self._log = structlog.get_logger("slipway.service")

    @property
    def meta(self) -> FeatureSetMeta | None:
        return None if self._snapshot is None else self._snapshot.meta

    def get_many(self, keys: Sequence[str]) -> list[LookedUp]:
        assert self._snapshot is not None, "asked before it was ready"
        found = [self._snapshot.get(key) for key in keys]
        return [LookedUp(numbers, "unknown" if numbers is None else "hit") for numbers in found]

    async def tend(self) -> None:
        """Maps the newest snapshot. One that is not whole is left alone: the one before it goes on."""
        view = self._rows.view.name
        mark = self._store.pointer_mark(view)
        if mark is None or mark == self._mark:
            return
        pointer = self._store.read_pointer(view)
        if pointer is None:
            return
        try:
            self._snapshot = await asyncio.to_thread(self._open, pointer)
        except (CorruptSnapshot, OSError) as error:
            if self._snapshot is None:
                self.reason = f"features {view}: {error}"
            self._log.error("feature snapshot refused", view=view, reason=str(error))
        else:
            self.reason = ""
            self._log.info("feature snapshot served", view=view, rows=pointer.meta.rows)
        self._mark = mark

    async def close(self) -> None:
        """The mapping ends with the last reference to it."""

    def _open(self, pointer: SnapshotPointer) -> Snapshot:
        path = self._store.folder(self._rows.view.name) / pointer.file
        return open_snapshot(path, self._rows, digest=pointer.digest)
