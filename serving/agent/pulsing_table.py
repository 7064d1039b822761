"""The predictions table whose every transaction is a sign of life: working off a backlog takes longer than a stuck step may."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from records.prediction_record import PredictionRecord
from serving.agent.shipper import PredictionTable


class PulsingTable:
    """PredictionTable."""

    def __init__(self, table: PredictionTable, alive: Callable[[], None]) -> None:
        self._table, self._alive = table, alive

    def insert(self, records: Sequence[PredictionRecord]) -> int:
        self._alive()
        return self._table.insert(records)
