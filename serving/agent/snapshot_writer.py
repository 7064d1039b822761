"""Writing a feature snapshot from rows in any order, with memory for keys only: rows wait in a file until all are there.

What has to be in memory is 32 bytes a row, whatever its columns; ten million users need 320 MB for a moment.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from modelkit.view_rows import FeatureSetMeta, ViewRows
from serving.feature_snapshot import header_of, key_halves

ROWS_PER_WRITE = 65_536


class FeaturesRefused(Exception):
    """What the source holds is no set of rows of the view; what was served goes on."""


class SnapshotWriter:
    """Takes batches of one view, each row checked, and writes the file that workers map."""

    def __init__(self, rows: ViewRows, folder: Path) -> None:
        self._rows = rows
        self._record = np.dtype([("high", "<u8"), ("low", "<u8"), ("numbers", "<f8", (len(rows.names),))])
        self._waiting = folder / "rows.new"
        self._target = folder / "snapshot.new"
        folder.mkdir(parents=True, exist_ok=True)
        self._file: IO[bytes] = self._waiting.open("wb")
        self._count = 0
        self._has_default = rows.view.default_key is None

    def add(self, keys: list[str], numbers: NDArray[np.float64]) -> None:
        """Raises FeaturesRefused, naming the row, for one that the view's schema does not allow."""
        for place, row in enumerate(numbers.tolist()):
            try:
                self._rows.check(row)
            except ValueError as error:
                raise FeaturesRefused(f"row {self._count + place}: {error}") from None
        block = np.empty(len(keys), dtype=self._record)
        halves = np.array([key_halves(key) for key in keys], dtype="<u8").reshape(-1, 2)
        block["high"], block["low"], block["numbers"] = halves[:, 0], halves[:, 1], numbers
        self._file.write(block.tobytes())
        self._count += len(keys)
        self._has_default = self._has_default or self._rows.view.default_key in keys

    def finish(self, *, written_at: float) -> tuple[Path, str, FeatureSetMeta]:
        """The file, its SHA-256 and what it holds. Raises FeaturesRefused for no rows, or two of one key."""
        self._file.close()
        if self._count == 0:
            raise FeaturesRefused("there are no rows")
        if not self._has_default:
            raise FeaturesRefused("there is no row for the default key")
        meta = self._rows.meta(rows=self._count, written_at=written_at)
        stored = np.memmap(self._waiting, dtype=self._record, mode="r")
        order = _order(np.array(stored["high"]), np.array(stored["low"]))
        digest = hashlib.sha256()
        with self._target.open("wb") as target:
            for block in (header_of(meta), *_blocks(stored, order)):
                digest.update(block)
                target.write(block)
        return self._target, digest.hexdigest(), meta

    def close(self) -> None:
        """Leaves nothing behind but a finished file that was moved away."""
        self._file.close()
        self._waiting.unlink(missing_ok=True)
        self._target.unlink(missing_ok=True)


def _order(high: NDArray[Any], low: NDArray[Any]) -> NDArray[np.intp]:
    order = np.lexsort((low, high))
    high, low = high[order], low[order]
    if ((high[1:] == high[:-1]) & (low[1:] == low[:-1])).any():
        raise FeaturesRefused("two rows have the same key")
    return order


def _blocks(stored: NDArray[Any], order: NDArray[np.intp]) -> Iterator[bytes]:
    for part in ("high", "low", "numbers"):
        for start in range(0, len(order), ROWS_PER_WRITE):
            yield stored[part][order[start : start + ROWS_PER_WRITE]].tobytes()
