"""GET /predictions/{id}: a caller's own record, from the prediction log in SQL.

Whatever is not the caller's looks exactly like what does not exist: the owner is part of the SQL query. A record that
still waits in the spool is not there yet; the agent ships it within a second or so.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import orjson

from auth.principal import Principal
from auth.scopes import PREDICT, READ, insufficient
from modelkit.errors import PredictionNotFound, Unavailable
from records.withheld import shown, withheld
from serving.http.exchange import Exchange, Reply
from serving.http.slow_lane import SlowLane

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from records.logged_predictions import OwnPrediction

PREFIX = "/predictions/"
TEMPLATE = "/predictions/{id}"
NO_STORE = ((b"cache-control", b"no-store"),)

# An identifier of `serving.identifiers`. Nothing else reaches the database.
_ID = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")
_ONE_MODEL = f"{PREDICT}:"


class OwnRecordRoutes:
    """Reads in the slow lane; SQLAlchemy is imported on first use."""

    def __init__(self, engine: Callable[[], Engine], lane: SlowLane) -> None:
        self._engine, self._lane = engine, lane

    async def prediction(self, exchange: Exchange) -> Reply:
        """Raises InsufficientScope, PredictionNotFound, or Unavailable when SQL cannot be asked."""
        caller = exchange.caller
        models = readable_models(caller)
        prediction_id = exchange.scope["path"].removeprefix(PREFIX)
        if not _ID.fullmatch(prediction_id):
            raise PredictionNotFound
        body = await self._lane.run(partial(self._read, prediction_id, caller.subject, models))
        return Reply(200, body, headers=NO_STORE)

    def _read(self, prediction_id: str, subject: str, models: frozenset[str] | None) -> bytes:
        from sqlalchemy.exc import SQLAlchemyError

        from records.logged_predictions import own_prediction

        try:
            found = own_prediction(self._engine(), prediction_id, subject=subject, models=models)
        except SQLAlchemyError as error:
            raise Unavailable("predictions cannot be looked up now") from error
        if found is None:
            raise PredictionNotFound
        return orjson.dumps(_body(found))


def readable_models(caller: Principal) -> frozenset[str] | None:
    """The models whose records the caller's token opens; None for all. Raises InsufficientScope where there is none.

    A token that may only ask one model must not show what its owner asked another.
    """
    if caller.has(READ) or caller.has(PREDICT):
        return None
    models = frozenset(
        scope.removeprefix(_ONE_MODEL) for scope in caller.scopes if scope.startswith(_ONE_MODEL)
    )
    if not models:
        raise insufficient(READ)
    return models


def _body(record: OwnPrediction) -> dict[str, Any]:
    said = record.prediction
    answer = {"prediction": record.predicted_value} if said is None else _classified(said)
    return {
        "prediction_id": record.prediction_id,
        "request_id": record.request_id,
        "created_at": record.created_at,
        "model": record.model,
        "model_version": record.version,
        "features": shown(record.features),
        "withheld": withheld(record.features),
        **answer,
        "lower": record.lower,
        "upper": record.upper,
        "outcome": record.outcome,
        "cached": record.cached,
        "truth": record.truth,
    }


def _classified(said: dict[str, Any]) -> dict[str, Any]:
    return {"prediction": said["prediction"], "probabilities": said["probabilities"]}
