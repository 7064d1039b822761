"""The predictor when something fails: nobody is harmed by a neighbour, and nothing is logged that was not answered."""

from __future__ import annotations

import asyncio
import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import pytest
from numpy.typing import NDArray

from catalog.food_delivery.definition import DEFINITION as FOOD
from catalog.iris.definition import DEFINITION as IRIS
from modelkit.errors import DeadlineExceeded, LogUnavailable, PredictionFailed
from serving.loaded_model import LoadedModel
from serving.outcome import Outcome
from serving.settings import Durability, FullLogPolicy
from tests.fakes.remote_cache import MemoryRemoteCache
from tests.fakes.segment_files import no_space
from tests.predictor_bench import Bench, counted, flower, run
from tests.tiny_servables import CountedFeatures, loaded_tiny, with_features


@pytest.fixture(scope="module")
def iris(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    return loaded_tiny(IRIS, tmp_path_factory.mktemp("iris"))


@pytest.fixture(scope="module")
def food(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    return loaded_tiny(FOOD, tmp_path_factory.mktemp("food"), version="3")


def test_a_row_that_the_feature_code_cannot_take_fails_alone(iris: LoadedModel) -> None:
    async def scenario() -> None:
        bench = Bench()
        model, _ = counted(iris, column="sepal_length", poison=9.0)
        lengths = [1.0, 9.0, 3.0]
        results = await asyncio.gather(
            *(bench.ask(model, flower(model, length)) for length in lengths), return_exceptions=True
        )
        assert [isinstance(result, PredictionFailed) for result in results] == [False, True, False]
        assert len(bench.logged()) == 2
        failed = {"model": "iris", "version": "1", "outcome": "model_error", "source": "model"}
        assert bench.figure("predictions_total", **failed) == 1

    run(scenario)


def test_a_batch_with_a_row_that_fails_logs_none_of_its_rows(iris: LoadedModel) -> None:
    async def scenario() -> None:
        bench = Bench()
        model, _ = counted(iris, column="sepal_length", poison=9.0)
        with pytest.raises(PredictionFailed):
            await bench.ask(model, flower(model, 1.0), flower(model, 9.0))
        assert bench.logged() == []

    run(scenario)


class FailsFirst(CountedFeatures):
    """Feature code that fails a number of times and then works."""

    def __init__(self, model: LoadedModel, failures: int) -> None:
        super().__init__(model.definition)
        self.failures = failures

    def __call__(self, columns: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
        features = super().__call__(columns)
        if len(self.calls) <= self.failures:
            raise RuntimeError("not yet")
        return features


def test_a_leader_that_fails_fails_itself_and_the_next_takes_its_place(iris: LoadedModel) -> None:
    async def scenario() -> None:
        bench = Bench()
        features = FailsFirst(iris, 1)
        model = with_features(iris, features)
        results = await asyncio.gather(
            *(bench.ask(model, flower(model)) for _ in range(20)), return_exceptions=True
        )
        assert [isinstance(result, PredictionFailed) for result in results] == [True] + [False] * 19
        assert features.calls == [1, 1]
        assert len(bench.logged()) == 19

    run(scenario)


def test_where_every_attempt_fails_everybody_fails_once(iris: LoadedModel) -> None:
    async def scenario() -> None:
        bench = Bench()
        features = FailsFirst(iris, 1000)
        model = with_features(iris, features)
        results = await asyncio.gather(
            *(bench.ask(model, flower(model)) for _ in range(20)), return_exceptions=True
        )
        assert all(isinstance(result, PredictionFailed) for result in results)
        assert len(features.calls) == 20
        assert bench.predictor.is_idle

    run(scenario)


def test_a_leader_that_is_cancelled_or_too_late_does_not_take_its_followers_along(iris: LoadedModel) -> None:
    async def scenario() -> None:
        bench = Bench(remote=MemoryRemoteCache())
        cancelled = asyncio.ensure_future(bench.ask(iris, flower(iris)))
        follower = asyncio.ensure_future(bench.ask(iris, flower(iris)))
        await asyncio.sleep(0)
        cancelled.cancel()
        (answer,) = await follower
        assert not answer.cached

        late, in_time = await asyncio.gather(
            bench.ask(iris, flower(iris, 2.0), seconds=-1),
            bench.ask(iris, flower(iris, 2.0)),
            return_exceptions=True,
        )
        assert isinstance(late, DeadlineExceeded)
        assert isinstance(in_time, list)
        assert len(bench.logged()) == 2

    run(scenario)


class Overflowing(LoadedModel):
    """A version whose graph leaves the numbers."""

    def predict(self, rows: Sequence[msgspec.Struct]) -> list[Outcome]:
        classes = self.definition.classes
        shares = dict.fromkeys(classes, math.nan)
        return [Outcome(classes[0], probabilities=shares) if classes else Outcome(math.inf) for _ in rows]


def overflowing(model: LoadedModel) -> LoadedModel:
    return Overflowing(**{field.name: getattr(model, field.name) for field in dataclasses.fields(model)})


def test_a_prediction_that_is_not_finite_is_a_failure_and_nothing_is_kept_of_it(
    iris: LoadedModel, food: LoadedModel
) -> None:
    async def scenario() -> None:
        bench = Bench()
        with pytest.raises(PredictionFailed):
            await bench.ask(overflowing(iris), flower(iris))
        with pytest.raises(PredictionFailed):
            await bench.ask(overflowing(food), food.reader.from_object({}))
        assert bench.logged() == []
        failed = {"version": "1", "outcome": "model_error", "source": "model"}
        assert bench.figure("predictions_total", model="iris", **failed) == 1

    run(scenario)


@pytest.mark.parametrize(
    ("outcome", "finite"),
    [
        (Outcome(1.0), True),
        (Outcome(float("nan")), False),
        (Outcome(float("-inf")), False),
        (Outcome("a", probabilities={"a": 1.0}), True),
        (Outcome("a", probabilities={"a": float("nan")}), False),
    ],
)
def test_an_outcome_is_finite_when_all_its_numbers_are(outcome: Outcome, finite: bool) -> None:
    assert outcome.is_finite() is finite


def test_after_the_deadline_nothing_is_computed_and_nothing_logged(iris: LoadedModel) -> None:
    async def scenario() -> None:
        bench = Bench()
        model, calls = counted(iris)
        with pytest.raises(DeadlineExceeded):
            await bench.ask(model, flower(model), seconds=-0.001)
        assert (calls, bench.logged()) == ([], [])

    run(scenario)


@pytest.mark.parametrize("durability", Durability)
def test_a_strict_log_that_cannot_be_written_refuses_the_answer(
    iris: LoadedModel, durability: Durability
) -> None:
    async def scenario() -> None:
        bench = Bench(policy=FullLogPolicy.STRICT, durability=durability)
        bench.files.fail["write"] = [no_space()]
        with pytest.raises(LogUnavailable):
            await bench.ask(iris, flower(iris))
        assert bench.logged() == []
        (answer,) = await bench.ask(iris, flower(iris))
        assert [record.prediction_id for record in bench.logged()] == [answer.prediction_id]
        assert bench.figure("prediction_log_records_total", result="dropped") == 1
        assert bench.figure("prediction_log_records_total", result="written") == 1

    run(scenario)


def test_an_available_log_answers_and_counts_what_it_lost(iris: LoadedModel) -> None:
    async def scenario() -> None:
        bench = Bench()
        bench.files.fail["write"] = [no_space()]
        assert len(await bench.ask(iris, flower(iris), flower(iris, 2.0))) == 2
        assert bench.logged() == []
        assert bench.figure("prediction_log_records_total", result="dropped") == 2

    run(scenario)


def test_a_sync_that_fails_is_counted_and_refused_where_the_log_is_strict(iris: LoadedModel) -> None:
    async def scenario() -> None:
        bench = Bench(durability=Durability.DISK, policy=FullLogPolicy.STRICT)
        bench.files.fail["sync"] = [no_space()]
        with pytest.raises(LogUnavailable):
            await bench.ask(iris, flower(iris))
        assert bench.figure("prediction_log_records_total", result="not_synced") == 1

    run(scenario)
