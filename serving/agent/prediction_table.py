"""The `predictions` table as the shipper's target."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Engine
from sqlalchemy.exc import DataError, SQLAlchemyError

from records.erasures import concerning
from records.prediction_log import insert_predictions
from records.prediction_record import PredictionRecord
from serving.agent.shipper import LogUnreachable, RecordsRefused


class SqlPredictionTable:
    """Implements `PredictionTable`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def insert(self, records: Sequence[PredictionRecord]) -> int:
        try:
            with self._engine.begin() as connection:
                if erased := concerning(connection, records):
                    records = [erased.apply(record) for record in records]
                return insert_predictions(connection, records)
        except (DataError, ValueError, OverflowError) as error:  # the latter two before it is asked
            raise RecordsRefused(type(error).__name__) from error
        except SQLAlchemyError as error:
            raise LogUnreachable(type(error).__name__) from error
