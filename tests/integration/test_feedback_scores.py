"""Truth meets its prediction once, whoever of many agents is first, early or late, on both databases."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from records.engine import open_engine
from records.feedback import tell
from records.feedback_scores import AT_ONCE, Score, _waiting, score_waiting
from records.prediction_log import insert_predictions
from records.tables import Feedback
from records.truth import Truth
from serving.agent.feedback_metrics import FeedbackMetrics
from serving.agent.scoring import BUSY_SECONDS, IDLE_SECONDS, SWEEP_SECONDS, FeedbackScoring
from tests.prediction_records import figure, made_record

NOW = datetime.now(UTC)
SAID = {"prediction": "setosa", "probabilities": {"setosa": 0.9, "virginica": 0.1}}
LABELLED: dict[str, Any] = {"predicted_value": None, "prediction": msgspec.Raw(msgspec.json.encode(SAID))}


def predicted(engine: Engine, *names: str, **changes: Any) -> None:
    with engine.begin() as connection:
        insert_predictions(connection, [made_record(name, **changes) for name in names])


def told(engine: Engine, *truths: tuple[str, float | str], at: datetime = NOW) -> None:
    with engine.begin() as connection:
        tell(connection, [Truth(*each) for each in truths], subject="labels", now=at)


def stored(engine: Engine, name: str = "p-1") -> Feedback:
    with Session(engine) as session:
        return session.scalars(select(Feedback).where(Feedback.prediction_id == name)).one()


def test_a_number_is_scored_by_its_distance_and_its_bounds(engine: Engine) -> None:
    predicted(engine, "p-1", lower=20.0, upper=30.0)
    predicted(engine, "p-2")
    told(engine, ("p-1", 31.5), ("p-2", 20.0))
    scores = sorted(score_waiting(engine, now=NOW), key=lambda score: -(score.absolute_error or 0))
    assert scores == [
        Score(model="food-delivery", version="7", absolute_error=8.0, inside=False),
        Score(model="food-delivery", version="7", absolute_error=3.5),
    ]
    row = stored(engine)
    assert (row.model, row.version, row.absolute_error, row.correct) == ("food-delivery", "7", 8.0, None)
    assert row.scored_at == NOW
    assert score_waiting(engine, now=NOW) == []


@pytest.mark.parametrize(("actual", "correct"), [("setosa", True), ("virginica", False)])
def test_a_label_is_right_or_wrong(engine: Engine, actual: str, correct: bool) -> None:
    predicted(engine, "p-1", model="iris", **LABELLED)
    told(engine, ("p-1", actual))
    assert score_waiting(engine, now=NOW) == [Score(model="iris", version="7", correct=correct)]
    assert stored(engine).correct is correct


@pytest.mark.parametrize(("changes", "actual"), [({}, "late"), (LABELLED, 3.0), (LABELLED, "tulip")])
def test_truth_that_came_first_and_cannot_be_the_truth_is_refused_then(
    engine: Engine, changes: dict[str, Any], actual: float | str
) -> None:
    told(engine, ("p-1", actual))
    assert score_waiting(engine, now=NOW) == []
    predicted(engine, "p-1", **changes)
    (score,) = score_waiting(engine, now=NOW)
    assert score.refusal
    row = stored(engine)
    assert (row.absolute_error, row.correct, row.scored_at) == (None, None, NOW)
    assert score_waiting(engine, now=NOW) == []


def test_truth_waits_for_its_prediction_and_for_nothing_else(engine: Engine) -> None:
    told(engine, ("p-1", 20.0), ("never", 1.0), ("p-2", 21.0))
    predicted(engine, "p-2")
    assert [score.absolute_error for score in score_waiting(engine, now=NOW)] == [2.5]
    assert stored(engine).scored_at is None
    predicted(engine, "p-1")
    assert [score.absolute_error for score in score_waiting(engine, now=NOW)] == [3.5]


def test_truth_that_changes_is_scored_again(engine: Engine) -> None:
    predicted(engine, "p-1")
    told(engine, ("p-1", 20.0))
    score_waiting(engine, now=NOW)
    told(engine, ("p-1", 20.0))
    assert score_waiting(engine, now=NOW) == []
    told(engine, ("p-1", 23.0))
    assert score_waiting(engine, now=NOW) == [
        Score(model="food-delivery", version="7", absolute_error=0.5, again=True)
    ]
    assert (stored(engine).changes, stored(engine).absolute_error) == (1, 0.5)


def test_a_correction_before_the_first_score_is_scored_and_not_rescored(engine: Engine) -> None:
    predicted(engine, "p-1")
    told(engine, ("p-1", 20.0))
    told(engine, ("p-1", 23.0))
    (first,) = score_waiting(engine, now=NOW)
    assert not first.again
    told(engine, ("p-1", 24.0))
    (second,) = score_waiting(engine, now=NOW)
    assert second.again
    assert (stored(engine).changes, stored(engine).scores) == (2, 2)


def test_what_was_only_refused_was_not_scored(engine: Engine) -> None:
    told(engine, ("p-1", "late"))
    predicted(engine, "p-1")
    assert [score.refusal != "" for score in score_waiting(engine, now=NOW)] == [True]
    told(engine, ("p-1", 24.0))
    assert [score.again for score in score_waiting(engine, now=NOW)] == [False]


@pytest.mark.parametrize(("actual", "predicted_value"), [(1e9, 23.5), (20.0, 1.7e308)])
def test_what_is_not_plausible_is_refused_and_destroys_no_sum(
    engine: Engine, actual: float, predicted_value: float
) -> None:
    told(engine, ("p-1", actual))
    predicted(engine, "p-1", predicted_value=predicted_value)
    registry = CollectorRegistry()
    chore = FeedbackScoring(engine, FeedbackMetrics(registry), most={"food-delivery": 1e5})
    chore.step()
    labels = {"model": "food-delivery", "version": "7"}
    assert figure(registry, "slipway_feedback_total", **labels, result="refused") == 1
    assert figure(registry, "slipway_model_abs_error_sum", **labels) == 0
    assert stored(engine).absolute_error is None


def test_the_latest_truth_goes_first(engine: Engine) -> None:
    names = [f"p-{number}" for number in range(AT_ONCE + 1)]
    predicted(engine, *names)
    told(engine, *((name, 20.0) for name in names[:-1]), at=NOW - timedelta(hours=1))
    told(engine, (names[-1], 21.0))
    assert 2.5 in [score.absolute_error for score in score_waiting(engine, now=NOW)]
    assert len(score_waiting(engine, now=NOW)) == 1


def test_many_agents_score_each_truth_once(engine: Engine) -> None:
    names = [f"p-{number}" for number in range(3 * AT_ONCE)]
    predicted(engine, *names)
    told(engine, *((name, 20.0) for name in names))
    counts: list[int] = []

    def agent() -> None:
        while scores := score_waiting(engine, now=NOW):
            counts.append(len(scores))

    threads = [threading.Thread(target=agent) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    while scores := score_waiting(engine, now=NOW):  # who found everything claimed by others went home
        counts.append(len(scores))
    assert sum(counts) == len(names)


def test_requests_that_tell_the_same_in_another_order_do_not_wait_in_a_circle(engine: Engine) -> None:
    names = [f"p-{number:03d}" for number in range(300)]
    failed: list[Exception] = []

    def teller(order: list[str], value: float) -> None:
        try:
            for _ in range(5):
                told(engine, *((name, value) for name in order))
        except Exception as error:
            failed.append(error)

    threads = [
        threading.Thread(target=teller, args=arguments)
        for arguments in ((names, 1.0), (names[::-1], 2.0), (names, 3.0))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failed == []


def test_looking_for_fresh_truth_uses_an_index(engine: Engine) -> None:
    sqlite = engine.dialect.name == "sqlite"
    asked = _waiting(NOW).compile(engine, compile_kwargs={"literal_binds": True})
    with engine.connect() as connection:
        if not sqlite:
            connection.execute(text("SET enable_seqscan = off"))
        explain = "EXPLAIN QUERY PLAN" if sqlite else "EXPLAIN"
        plan = "\n".join(map(str, connection.exec_driver_sql(f"{explain} {asked}")))
    assert "ix_feedback_scored_at_created_at" in plan, plan


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_the_chore_scores_old_truth_on_its_sweeps_and_counts_what_it_scored(engine: Engine) -> None:
    registry, clock = CollectorRegistry(), Clock()
    chore = FeedbackScoring(engine, FeedbackMetrics(registry), clock=clock)
    assert chore.step() == IDLE_SECONDS
    predicted(engine, "p-1", lower=20.0, upper=30.0)
    predicted(engine, "p-2", model="iris", **LABELLED)
    told(engine, ("p-1", 21.0), at=NOW - timedelta(days=3))
    assert chore.step() == IDLE_SECONDS
    told(engine, ("p-2", "setosa"), at=datetime.now(UTC))
    assert chore.step() == BUSY_SECONDS
    clock.now += SWEEP_SECONDS
    assert chore.step() == BUSY_SECONDS
    number, label = {"model": "food-delivery", "version": "7"}, {"model": "iris", "version": "7"}
    assert figure(registry, "slipway_feedback_total", **number, result="scored") == 1
    assert figure(registry, "slipway_model_abs_error_sum", **number) == 2.5
    assert figure(registry, "slipway_model_interval_total", **number, result="inside") == 1
    assert figure(registry, "slipway_model_correct_total", **label, result="right") == 1


def test_a_database_that_is_away_is_asked_again_later() -> None:
    engine = open_engine("postgresql://nobody@127.0.0.1:9/none")
    assert FeedbackScoring(engine, FeedbackMetrics(CollectorRegistry())).step() == IDLE_SECONDS
    engine.dispose()


def test_refused_truth_may_be_corrected(engine: Engine) -> None:
    told(engine, ("p-1", "late"))
    predicted(engine, "p-1")
    score_waiting(engine, now=NOW)
    told(engine, ("p-1", 23.5))
    (score,) = score_waiting(engine, now=NOW)
    assert (score.absolute_error, score.refusal) == (0.0, "")


def test_a_prediction_without_any_value_is_not_scored(engine: Engine) -> None:
    predicted(engine, "p-1", predicted_value=None)
    told(engine, ("p-1", 1.0))
    (score,) = score_waiting(engine, now=NOW)
    assert score.refusal
