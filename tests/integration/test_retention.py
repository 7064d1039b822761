"""What is older than LOG_RETENTION_DAYS goes, with what hangs on it, in batches that many agents may share."""

from __future__ import annotations

import os
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import Engine, func, insert, select, text

from records import known_addresses
from records.engine import open_engine
from records.erasures import SUBJECT, Person, write_down
from records.feedback import tell
from records.prediction_log import insert_predictions
from records.retention import AT_ONCE, delete_old, old_predictions
from records.tables import Erasure, Feedback, KnownAddress, Prediction, ShadowPrediction
from records.truth import Truth
from serving.agent.feedback_metrics import FeedbackMetrics
from serving.agent.handoff_store import HandoffStore
from serving.agent.retention import FAILED_SECONDS, REST_SECONDS, Retention, SetAside
from serving.agent.segments import SegmentFolder
from tests.prediction_records import figure, made_record

NOW = datetime.now(UTC)
OLD, NEW = NOW - timedelta(days=91), NOW - timedelta(days=89)
LIMIT = NOW - timedelta(days=90)


def predicted(engine: Engine, *names: str, at: datetime, **changes: Any) -> None:
    """With a truth and a shadow for each."""
    with engine.begin() as connection:
        records = [made_record(name, created_at=at.timestamp(), **changes) for name in names]
        insert_predictions(connection, records)
        tell(connection, [Truth(name, 1.0) for name in names], subject="labels", now=NOW)
        shadows = [
            {
                "prediction_id": name,
                "model": "food-delivery",
                "version": "8",
                "outcome": "ok",
                "latency_ms": 1.0,
                "created_at": NOW,
            }
            for name in names
        ]
        connection.execute(insert(ShadowPrediction), shadows)


def count(engine: Engine, table: Any) -> int:
    with engine.connect() as connection:
        return connection.scalar(select(func.count(table.id))) or 0


def test_old_predictions_go_with_their_truth_and_their_shadows(engine: Engine) -> None:
    predicted(engine, "p-1", "p-2", at=OLD)
    predicted(engine, "p-3", at=OLD, model="iris")
    predicted(engine, "p-4", at=NEW)
    gone: dict[str, int] = {}
    while (deleted := delete_old(engine, before=LIMIT)).more:
        for table, rows in deleted.rows.items():
            gone[table] = gone.get(table, 0) + rows
    assert gone == {"predictions": 3, "feedback": 3, "shadow_predictions": 3}
    assert deleted.rows == {}
    assert [count(engine, table) for table in (Prediction, Feedback, ShadowPrediction)] == [1, 1, 1]


def test_truth_that_never_met_a_prediction_goes_by_its_own_age(engine: Engine) -> None:
    with engine.begin() as connection:
        tell(connection, [Truth("never", 1.0)], subject="labels", now=OLD)
        tell(connection, [Truth("yet-to-come", 1.0)], subject="labels", now=NEW)
    assert delete_old(engine, before=LIMIT).rows == {"feedback": 1}
    assert count(engine, Feedback) == 1


def test_who_was_erased_is_forgotten_when_nothing_that_old_can_arrive(engine: Engine) -> None:
    with engine.begin() as connection:
        write_down(connection, Person(kind=SUBJECT, value="ada"), before=NOW)
    assert delete_old(engine, before=LIMIT).rows == {}
    assert delete_old(engine, before=NOW + timedelta(days=1)).rows == {"erasures": 1}
    assert count(engine, Erasure) == 0


def test_a_step_deletes_no_more_than_a_batch(engine: Engine) -> None:
    names = [f"p-{number}" for number in range(AT_ONCE + 1)]
    predicted(engine, *names, at=OLD)
    assert delete_old(engine, before=LIMIT).rows["predictions"] == AT_ONCE
    assert delete_old(engine, before=LIMIT).rows["predictions"] == 1


def test_many_agents_share_the_work(engine: Engine) -> None:
    predicted(engine, *(f"p-{number}" for number in range(4 * AT_ONCE)), at=OLD)
    gone: list[int] = []

    def agent() -> None:
        while (deleted := delete_old(engine, before=LIMIT)).more:
            gone.append(deleted.rows.get("predictions", 0))

    threads = [threading.Thread(target=agent) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    agent()
    assert sum(gone) == 4 * AT_ONCE
    assert count(engine, Feedback) == 0


def test_the_oldest_are_found_by_an_index(engine: Engine) -> None:
    asked = old_predictions("iris", LIMIT).compile(engine, compile_kwargs={"literal_binds": True})
    sqlite = engine.dialect.name == "sqlite"
    with engine.connect() as connection:
        if not sqlite:
            connection.execute(text("SET enable_seqscan = off"))
        explain = "EXPLAIN QUERY PLAN" if sqlite else "EXPLAIN"
        plan = "\n".join(map(str, connection.exec_driver_sql(f"{explain} {asked}")))
    assert "ix_predictions_model_created_at" in plan, plan
    assert "TEMP B-TREE" not in plan
    assert "Sort" not in plan


def chore(engine: Engine, folder: Path, *, days: float = 90) -> tuple[Retention, CollectorRegistry]:
    registry = CollectorRegistry()
    return Retention(engine, [SegmentFolder(folder)], FeedbackMetrics(registry), days=days), registry


def set_aside(folder: Path, name: str, moment: datetime) -> Path:
    path = folder / f"{name}.corrupt"
    path.write_bytes(b"not a frame")
    os.utime(path, (moment.timestamp(), moment.timestamp()))
    return path


def test_the_chore_rests_once_nothing_is_left(engine: Engine, tmp_path: Path) -> None:
    predicted(engine, "p-1", at=OLD)
    retention, registry = chore(engine, tmp_path)
    assert retention.step() < REST_SECONDS
    assert retention.step() >= REST_SECONDS
    for table in ("predictions", "feedback", "shadow_predictions"):
        assert figure(registry, "slipway_retention_deleted_total", table=table) == 1


def test_nothing_goes_where_everything_is_kept(engine: Engine, tmp_path: Path) -> None:
    predicted(engine, "p-1", at=NOW - timedelta(days=9000))
    old = set_aside(tmp_path, "w-1", NOW - timedelta(days=9000))
    retention, _ = chore(engine, tmp_path, days=0)
    assert retention.step() >= REST_SECONDS
    assert count(engine, Prediction) == 1
    assert old.exists()


def test_segments_that_were_set_aside_go_with_their_age_or_an_erasure(engine: Engine, tmp_path: Path) -> None:
    old, new = set_aside(tmp_path, "w-1", OLD), set_aside(tmp_path, "w-2", NEW)
    retention, registry = chore(engine, tmp_path)
    retention.step()
    assert (old.exists(), new.exists()) == (False, True)
    with engine.begin() as connection:
        write_down(connection, Person(kind=SUBJECT, value="ada"), before=NOW)
    retention.step()
    assert not new.exists()
    assert figure(registry, "slipway_retention_deleted_total", table="spool") == 2


def test_spent_bookkeeping_of_logins_goes_too(engine: Engine, tmp_path: Path) -> None:
    known_addresses.remember(engine, "known:x:192.0.2.1", now=NOW - timedelta(days=31))
    known_addresses.remember(engine, "known:y:192.0.2.1", now=NOW)
    chore(engine, tmp_path)[0].step()
    assert count(engine, KnownAddress) == 1


@pytest.mark.parametrize("url", ["postgresql://nobody@127.0.0.1:9/none"])
def test_a_database_that_is_away_is_asked_again_later(url: str, tmp_path: Path) -> None:
    engine = open_engine(url)
    assert chore(engine, tmp_path)[0].step() == FAILED_SECONDS
    engine.dispose()


def test_object_storage_that_is_away_is_asked_again_later_and_keeps_nothing_else_from_going(
    engine: Engine, tmp_path: Path
) -> None:
    predicted(engine, "p-1", at=OLD)
    (tmp_path / "spool").mkdir()
    (tmp_path / "place").write_text("no folder")
    old = tmp_path / "spool" / "w-1-1.corrupt"
    old.write_bytes(b"x")
    os.utime(old, (OLD.timestamp(),) * 2)
    places: list[SetAside] = [SegmentFolder(tmp_path / "spool"), HandoffStore((tmp_path / "place").as_uri())]
    retention = Retention(engine, places, FeedbackMetrics(CollectorRegistry()), days=90)
    while (pause := retention.step()) < FAILED_SECONDS:
        continue
    assert pause == FAILED_SECONDS
    assert count(engine, Prediction) == 0
    assert not old.exists()
