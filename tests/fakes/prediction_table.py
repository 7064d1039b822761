"""The prediction log's table in memory, which can be unreachable before or after it committed."""

from __future__ import annotations

from collections.abc import Sequence

from records.prediction_record import PredictionRecord
from serving.agent.shipper import LogUnreachable, RecordsRefused

END_OF_TIME = 1e11  # no calendar of a database goes that far


class MemoryPredictionTable:
    """PredictionTable. `unreachable` refuses; `lost_answers` commits and then loses the connection, that many times."""

    def __init__(self) -> None:
        self.rows: dict[str, PredictionRecord] = {}
        self.batches: list[list[str]] = []
        self.unreachable = False
        self.lost_answers = 0

    def insert(self, records: Sequence[PredictionRecord]) -> int:
        if self.unreachable:
            raise LogUnreachable("refused")
        if any(record.created_at > END_OF_TIME for record in records):
            raise RecordsRefused
        self.batches.append([record.prediction_id for record in records])
        new = {record.prediction_id: record for record in records if record.prediction_id not in self.rows}
        self.rows |= new
        if self.lost_answers:
            self.lost_answers -= 1
            raise LogUnreachable("connection lost")
        return len(new)
