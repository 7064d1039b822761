"""Counts of raw rows by what became of them, so that no row is ever dropped in silence."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class RowTally:
    """`read` per source file; `dropped` and `repaired` per reason. A row is dropped once and may be repaired often."""

    read: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    repaired: Counter[str] = field(default_factory=Counter)

    @property
    def used(self) -> int:
        return self.read.total() - self.dropped.total()
