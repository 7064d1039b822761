"""POST /feedback: what really happened after predictions, by their ids; written into SQL, and scored by the agent.

Whoever has the scope may say it: truth mostly comes from another program than the one that asked. It may come before its
prediction has left the spool, again, or corrected. Nothing is acknowledged that is not committed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

import orjson

from auth.scopes import FEEDBACK
from modelkit.errors import FeedbackUnavailable
from records.truth import Expected, Told, Truth
from serving.http.exchange import Exchange, Reply
from serving.http.request_rows import Limits
from serving.http.slow_lane import SlowLane
from serving.http.truths import Truths, read_truths
from serving.limits.limiter import RateLimits

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine


class FeedbackRoutes:
    """Reads and writes in the slow lane; SQLAlchemy is imported on first use."""

    def __init__(
        self,
        engine: Callable[[], Engine],
        lane: SlowLane,
        limits: Limits,
        *,
        rates: RateLimits,
        most: Mapping[str, float],
    ) -> None:
        self._engine, self._lane, self._limits = engine, lane, limits
        self._rates, self._most = rates, most

    async def feedback(self, exchange: Exchange) -> Reply:
        """Raises RateLimited, InvalidRequest, or FeedbackUnavailable when SQL cannot take it."""
        subject = exchange.caller.subject
        bucket = self._rates.admit(subject, FEEDBACK) if self._rates.on else None
        body = await exchange.json_body()
        answer, items = await self._lane.run(partial(self._take, body, subject))
        if bucket is not None:
            exchange.limit_fields = self._rates.charged(bucket, items)
        return Reply(202, answer)

    def _take(self, body: bytes, subject: str) -> tuple[bytes, int]:
        """The answer, and how many items there were."""
        from sqlalchemy.exc import SQLAlchemyError

        truths = read_truths(body, self._limits)
        try:
            with self._engine().begin() as connection:
                taken, told = _tell(connection, truths, subject, self._most)
        except SQLAlchemyError as error:
            raise FeedbackUnavailable from error
        return orjson.dumps(_body(taken, told)), len(taken.items) + len(taken.errors)


def _tell(
    connection: Connection, truths: Truths, subject: str, most: Mapping[str, float]
) -> tuple[Truths, Told]:
    """Without what cannot be the truth of a prediction that is known already; of others, scoring will tell."""
    from records.erasures import name_of
    from records.feedback import expectations, tell

    now = datetime.now(UTC)
    subject = name_of(connection, subject, now)
    known = expectations(connection, list({truth.prediction_id for truth in truths.items.values()}), most)
    refused = {place: reason for place, truth in truths.items.items() if (reason := _refusal(known, truth))}
    left = truths.without(refused)
    return left, tell(connection, list(left.items.values()), subject=subject, now=now)


def _refusal(known: dict[str, Expected], truth: Truth) -> str:
    found = known.get(truth.prediction_id)
    return "" if found is None else found.refusal(truth.actual)


def _body(truths: Truths, told: Told) -> dict[str, object]:
    errors = [{"pointer": item.pointer, "detail": item.detail, "row": item.row} for item in truths.errors]
    return {
        "accepted": told.accepted,
        "repeated": told.repeated,
        "changed": told.changed,
        "errors": errors,
    }
