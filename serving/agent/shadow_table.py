"""The `shadow_predictions` table as the shadow's target."""

from __future__ import annotations

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from records.shadow_predictions import ShadowAnswer, insert_shadows
from serving.agent.shadow import NotWritten


class SqlShadowTable:
    """Implements `ShadowTable`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def insert(self, answers: list[ShadowAnswer]) -> int:
        try:
            with self._engine.begin() as connection:
                return insert_shadows(connection, answers)
        except SQLAlchemyError as error:
            raise NotWritten(type(error).__name__) from error
