"""The predictor: every answered row computed once, logged before it leaves, and harmed by no neighbour."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry

from auth.principal import Principal
from catalog.food_delivery.definition import DEFINITION as FOOD
from catalog.iris.definition import DEFINITION as IRIS
from modelkit.errors import DeadlineExceeded, LogUnavailable, PredictionFailed
from records.prediction_record import PredictionRecord
from serving.adapters.memory_cache import MemoryCache
from serving.cache import AnswerCache
from serving.identifiers import Identifiers
from serving.loaded_model import LoadedModel
from serving.metrics import Metrics
from serving.outcome import Outcome
from serving.prediction_log import PredictionLog
from serving.predictor import MAX_ROWS_PER_CALL, Answer, Asking, Predictor
from serving.settings import Durability, FullLogPolicy
from serving.spool import SpoolLimits, SpoolWriter, read_frames
from tests.fakes.remote_cache import MemoryRemoteCache
from tests.fakes.segment_files import MemorySegmentFiles, no_space
from tests.prediction_records import figure
from tests.tiny_servables import CountedFeatures, loaded_tiny, with_features

ADA = Principal(
    subject="ada", issuer="slipway", scopes=frozenset({"predict"}), expires_at=2e9, user_id=7, token_id="t"
)
decode_record = msgspec.json.Decoder(PredictionRecord).decode


class Bench:
    """A predictor over files, caches and figures in memory; to be made inside an event loop."""

    def __init__(
        self,
        *,
        cached: bool = True,
        remote: MemoryRemoteCache | None = None,
        durability: Durability = Durability.PROCESS,
        policy: FullLogPolicy = FullLogPolicy.AVAILABLE,
    ) -> None:
        self.files, self.registry = MemorySegmentFiles(), CollectorRegistry()
        self.metrics = Metrics(self.registry)
        self.spool = SpoolWriter(Path("/spool"), self.files, SpoolLimits(spool_bytes=1_000_000))
        log = PredictionLog(self.spool, self.metrics, durability=durability, policy=policy)
        cache = AnswerCache(MemoryCache(max_entries=1000), remote, self.metrics) if cached else None
        self.predictor = Predictor(cache, log, self.metrics, new_id=Identifiers())

    async def ask(
        self, model: LoadedModel, *rows: msgspec.Struct, seconds: float = 60.0, request_id: str = "r-1"
    ) -> list[Answer]:
        now = time.perf_counter()
        return await self.predictor.predict(model, rows, Asking(request_id, ADA, now, now + seconds))

    def logged(self) -> list[PredictionRecord]:
        frames = [frame for content in self.files.files.values() for frame in read_frames(content)]
        return [decode_record(frame) for frame in frames if frame is not None]

    def figure(self, name: str, **labels: str) -> float:
        self.metrics.fold()
        return figure(self.registry, f"slipway_{name}", **labels)


def run(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(scenario())


@pytest.fixture(scope="module")
def iris(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    return loaded_tiny(IRIS, tmp_path_factory.mktemp("iris"))


@pytest.fixture(scope="module")
def food(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    return loaded_tiny(FOOD, tmp_path_factory.mktemp("food"), version="3")


def flower(model: LoadedModel, length: float = 5.1) -> msgspec.Struct:
    return model.reader.from_object({**IRIS.examples[0], "sepal_length": length})


def counted(model: LoadedModel, **poison: Any) -> tuple[LoadedModel, list[int]]:
    features = CountedFeatures(model.definition, **poison)
    return with_features(model, features), features.calls


def test_a_regressors_answer_is_a_number_and_its_record_says_what_was_asked(food: LoadedModel) -> None:
    async def scenario() -> None:
        bench = Bench()
        row = food.reader.from_object(dict(FOOD.examples[0]))
        (answer,) = await bench.ask(food, row)
        (record,) = bench.logged()
        assert answer.outcome == food.predict([row])[0]
        assert (record.prediction_id, record.predicted_value) == (
            answer.prediction_id,
            answer.outcome.prediction,
        )
        assert (record.model, record.version, record.subject, record.user_id) == (
            "food-delivery",
            "3",
            "ada",
            7,
        )
        assert food.reader.decode_one(bytes(record.features)) == row
        assert bytes(record.prediction) == b"null"

    run(scenario)


def test_a_classifiers_answer_is_a_label_with_probabilities_that_sum_to_one(iris: LoadedModel) -> None:
    async def scenario() -> None:
        bench = Bench()
        (answer,) = await bench.ask(iris, flower(iris))
        probabilities = answer.outcome.probabilities
        assert probabilities is not None
        assert sum(probabilities.values()) == pytest.approx(1.0)
        assert answer.outcome.prediction == max(probabilities, key=lambda name: probabilities[name])
        (record,) = bench.logged()
        assert record.predicted_value is None
        assert msgspec.json.decode(record.prediction)["prediction"] == answer.outcome.prediction

    run(scenario)


def test_a_repeated_row_is_answered_from_the_cache_under_an_id_of_its_own(iris: LoadedModel) -> None:
    async def scenario() -> None:
        bench = Bench()
        model, calls = counted(iris)
        (first,) = await bench.ask(model, flower(model))
        (second,) = await bench.ask(model, flower(model))
        assert (first.cached, second.cached, calls) == (False, True, [1])
        assert first.outcome == second.outcome
        assert first.prediction_id != second.prediction_id
        assert [record.cached for record in bench.logged()] == [False, True]

    run(scenario)


def test_five_hundred_requests_for_one_missing_row_compute_it_once(iris: LoadedModel) -> None:
    async def scenario() -> None:
        bench = Bench(remote=MemoryRemoteCache())
        model, calls = counted(iris)
        answers = await asyncio.gather(*(bench.ask(model, flower(model)) for _ in range(500)))
        assert calls == [1]
        assert len({answer.prediction_id for (answer,) in answers}) == 500
        assert len(bench.logged()) == 500
        labels = {"model": "iris", "version": "1", "outcome": "ok"}
        assert bench.figure("predictions_total", source="model", **labels) == 1
        assert bench.figure("predictions_total", source="joined", **labels) == 499

    run(scenario)


def test_without_a_cache_concurrent_misses_are_still_computed_once(iris: LoadedModel) -> None:
    async def scenario() -> None:
        bench = Bench(cached=False)
        model, calls = counted(iris)
        await asyncio.gather(*(bench.ask(model, flower(model)) for _ in range(50)))
        await bench.ask(model, flower(model))
        assert calls == [1, 1]

    run(scenario)


def test_different_rows_of_one_turn_go_through_one_call(iris: LoadedModel) -> None:
    async def scenario() -> None:
        bench = Bench(cached=False)
        model, calls = counted(iris)
        lengths = [1 + number / 10 for number in range(150)]
        answers = await asyncio.gather(*(bench.ask(model, flower(model, length)) for length in lengths))
        assert calls == [MAX_ROWS_PER_CALL, MAX_ROWS_PER_CALL, 150 - 2 * MAX_ROWS_PER_CALL]
        alone = [iris.predict([flower(iris, length)])[0] for length in lengths]
        assert [answer.outcome for (answer,) in answers] == alone

    run(scenario)


def test_the_rows_of_a_batch_keep_their_order_and_repeats_are_computed_once(iris: LoadedModel) -> None:
    async def scenario() -> None:
        bench = Bench()
        model, calls = counted(iris)
        rows = [flower(model, length) for length in (1.0, 9.0, 1.0, 5.0)]
        answers = await bench.ask(model, *rows)
        assert [answer.outcome for answer in answers] == [iris.predict([row])[0] for row in rows]
        assert calls == [3]
        assert [record.prediction_id for record in bench.logged()] == [
            answer.prediction_id for answer in answers
        ]

    run(scenario)


def test_two_versions_in_one_turn_answer_for_themselves(iris: LoadedModel, tmp_path: Path) -> None:
    other = loaded_tiny(IRIS, tmp_path, version="2", bias=3.0)

    async def scenario() -> None:
        bench = Bench()
        row = flower(iris)
        asked = [iris, other, iris, other]
        answers = await asyncio.gather(*(bench.ask(model, row) for model in asked))
        assert [answer.outcome for (answer,) in answers] == [model.predict([row])[0] for model in asked]
        assert sorted(record.version for record in bench.logged()) == ["1", "1", "2", "2"]

    run(scenario)


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
        assert bench.predictor._computing == {}

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


def constant(value: float) -> Callable[[Any], Mapping[str, NDArray[Any]]]:
    def build(columns: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
        rows = len(next(iter(columns.values())))
        return {name: np.full(rows, value) for name in columns}

    return build


def test_a_prediction_that_is_not_finite_is_a_failure_and_nothing_is_kept_of_it(
    iris: LoadedModel, food: LoadedModel
) -> None:
    async def scenario() -> None:
        bench = Bench()
        overflowing = with_features(iris, constant(np.inf))
        with pytest.raises(PredictionFailed):
            await bench.ask(overflowing, flower(iris))
        features = {name: np.full(1, np.inf) for name in FOOD.feature_columns}
        with pytest.raises(PredictionFailed):
            await bench.ask(with_features(food, lambda _: features), food.reader.from_object({}))
        assert bench.logged() == []

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


@pytest.mark.parametrize("durability", Durability)
def test_every_answered_row_is_in_the_log_when_its_answer_leaves(
    iris: LoadedModel, durability: Durability
) -> None:
    async def scenario() -> None:
        bench = Bench(durability=durability)

        async def one(number: int) -> None:
            (answer,) = await bench.ask(iris, flower(iris, 1 + number / 10), request_id=f"r-{number}")
            assert answer.prediction_id in {record.prediction_id for record in bench.logged()}
            if durability is Durability.DISK:
                (path,) = bench.files.files
                synced = list(read_frames(bench.files.files[path][: bench.files.synced[path]]))
                assert answer.prediction_id.encode() in b"".join(map(bytes, filter(None, synced)))

        await asyncio.gather(*map(one, range(40)))
        assert len(bench.logged()) == 40

    run(scenario)


def test_records_of_one_turn_are_one_write(iris: LoadedModel) -> None:
    async def scenario() -> None:
        bench = Bench(cached=False)
        await asyncio.gather(*(bench.ask(iris, flower(iris, 1 + number / 10)) for number in range(30)))
        assert bench.files.calls.count("write") == 1

    run(scenario)


def test_an_answer_of_the_shared_tier_needs_no_model(iris: LoadedModel) -> None:
    async def scenario() -> None:
        remote = MemoryRemoteCache()
        first = Bench(remote=remote)
        model, calls = counted(iris)
        (computed,) = await first.ask(model, flower(model))
        await asyncio.sleep(0.05)
        (found,) = await Bench(remote=remote).ask(model, flower(model))
        assert (found.cached, found.outcome, calls) == (True, computed.outcome, [1])

    run(scenario)
