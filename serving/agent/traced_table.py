"""The predictions table with a span for each segment that it takes, for deployments that export spans."""

from __future__ import annotations

import time
from collections.abc import Sequence

from records.prediction_record import PredictionRecord
from serving.agent.shipper import PredictionTable
from serving.tracing.tracer import Tracer


class TracedTable:
    """PredictionTable."""

    def __init__(self, table: PredictionTable, tracer: Tracer) -> None:
        self._table, self._tracer = table, tracer

    def insert(self, records: Sequence[PredictionRecord]) -> int:
        started, new = time.perf_counter(), -1
        try:
            new = self._table.insert(records)
        finally:
            attributes: dict[str, str | bool | int | float] = {"slipway.rows": len(records)}
            if new >= 0:
                attributes["slipway.rows_committed"] = new
            self._tracer.did("ship", started, attributes, failed=new < 0)
        return new
