"""The ledger of model versions, on both databases."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import StatementError

from records.ledger import LedgerEntry, append, history

FIRST = LedgerEntry(
    model="iris",
    version="1",
    alias="production",
    from_version=None,
    to_version="1",
    action="promote",
    actor="ada",
    reason="first version",
    report={"gates": [{"name": "accuracy", "passed": True, "value": 0.975}], "note": "Zürich"},
    at=datetime(2026, 5, 1, 12, 0, 0, 123456, tzinfo=UTC),
)
SECOND = dataclasses.replace(
    FIRST, version="2", from_version="1", to_version="2", report=None, at=FIRST.at + timedelta(minutes=1)
)


def test_moves_come_back_newest_first_and_as_they_were(engine: Engine) -> None:
    append(engine, FIRST)
    append(engine, SECOND)
    assert history(engine, "iris") == [SECOND, FIRST]


def test_moves_of_one_moment_come_back_in_the_order_they_were_made(engine: Engine) -> None:
    same_moment = dataclasses.replace(SECOND, at=FIRST.at)
    append(engine, FIRST)
    append(engine, same_moment)
    assert history(engine, "iris") == [same_moment, FIRST]


def test_every_model_has_a_history_of_its_own(engine: Engine) -> None:
    append(engine, FIRST)
    assert history(engine, "food-delivery") == []


def test_a_moment_of_another_time_zone_is_the_same_moment(engine: Engine) -> None:
    append(
        engine, dataclasses.replace(FIRST, at=FIRST.at.astimezone(timezone(timedelta(hours=5, minutes=30))))
    )
    (entry,) = history(engine, "iris")
    assert entry.at == FIRST.at
    assert entry.at.utcoffset() == timedelta(0)


def test_a_moment_without_a_time_zone_is_refused(engine: Engine) -> None:
    with pytest.raises(StatementError, match="time zone"):
        append(engine, dataclasses.replace(FIRST, at=datetime(2026, 5, 1)))
