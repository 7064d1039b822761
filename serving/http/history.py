"""GET /models/{model}/history: who moved which alias, when and why, from the ledger in SQL."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import orjson

from modelkit.errors import ModelNotFound, Unavailable
from serving.http.exchange import Exchange, Reply
from serving.http.slow_lane import SlowLane
from serving.model_board import ModelBoard

if TYPE_CHECKING:
    from sqlalchemy import Engine


class HistoryRoutes:
    """Reads the ledger in the slow lane; SQLAlchemy is imported on first use."""

    def __init__(self, board: ModelBoard, engine: Callable[[], Engine], lane: SlowLane) -> None:
        self._board, self._engine, self._lane = board, engine, lane

    async def history(self, exchange: Exchange, name: str) -> Reply:
        if name not in self._board.slots:
            raise ModelNotFound
        return Reply(200, await self._lane.run(lambda: self._read(name)))

    def _read(self, name: str) -> bytes:
        from sqlalchemy.exc import SQLAlchemyError

        from records.ledger import history

        try:
            entries = history(self._engine(), name)
        except SQLAlchemyError as error:
            raise Unavailable("the ledger cannot be read now") from error
        return orjson.dumps({"model": name, "events": entries})
