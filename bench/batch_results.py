"""What the batch section found, and its bars."""

from __future__ import annotations

from statistics import median

import msgspec

SLIPWAY, MLFLOW = "slipway", "mlflow models predict"
RATIOS = {"food-delivery": 1.0, "model-a": 2.0}
MEMORY_MB = 1000.0


class BatchSample(msgspec.Struct, frozen=True, kw_only=True):
    """One whole command, start included."""

    side: str
    round: int
    seconds: float
    rows_per_second: float
    cpu_seconds: float
    peak_memory_bytes: int


class BatchResult(msgspec.Struct, frozen=True, kw_only=True):
    """Both sides over the same rows, in turns."""

    model: str
    rows: int
    samples: list[BatchSample]

    def of(self, side: str) -> list[BatchSample]:
        return [sample for sample in self.samples if sample.side == side]

    def rows_per_second(self, side: str) -> float:
        return median(sample.rows_per_second for sample in self.of(side))

    def peak_memory_mb(self, side: str) -> float:
        return max(sample.peak_memory_bytes for sample in self.of(side)) / 1e6
