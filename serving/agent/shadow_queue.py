"""Rows on their way from the shipper to the shadow: which ones are taken is decided by their ids, and nobody ever waits.

What does not fit into the queue is counted and forgotten: a sample may be smaller, shipping is never slower.
"""

from __future__ import annotations

import queue
from collections.abc import Mapping, Sequence

from records.prediction_record import PredictionRecord
from serving.agent.shadow_metrics import ShadowMetrics
from serving.redaction import Redaction
from serving.splitting import Split

WAITING_ROWS = 20_000
SALT = "shadow"  # not the salt of callers: who is answered by the challenger has nothing to do with it


class ShadowQueue:
    """`offer` is the shipper's side, `take` the shadow's. `shares` says how many of a model's rows are wanted.

    Of a model with redacted fields nothing can be computed: its rows are not whole in the log.
    """

    def __init__(
        self,
        shares: Mapping[str, float],
        metrics: ShadowMetrics,
        *,
        redaction: Redaction,
        size: int = WAITING_ROWS,
    ) -> None:
        self._samples = {model: Split(model, share, salt=SALT) for model, share in shares.items()}
        self._metrics, self._redaction = metrics, redaction
        self._rows: queue.Queue[PredictionRecord] = queue.Queue(size)

    def offer(self, records: Sequence[PredictionRecord]) -> None:
        """Those of the sample, after they are safe in SQL. Never waits, never raises."""
        for record in records:
            sample = self._samples.get(record.model)
            if sample is None or record.outcome != "ok" or not sample.takes(record.prediction_id):
                continue
            if self._redaction.of(record.model):
                self._metrics.compared(record.model, "", "redacted")
                continue
            try:
                self._rows.put_nowait(record)
            except queue.Full:
                self._metrics.compared(record.model, "", "queue_full")

    def take(self, most: int) -> list[PredictionRecord]:
        """What waits now, the oldest first."""
        taken: list[PredictionRecord] = []
        while len(taken) < most:
            try:
                taken.append(self._rows.get_nowait())
            except queue.Empty:
                break
        return taken
