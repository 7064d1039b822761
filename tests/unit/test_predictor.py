"""The predictor: every answered row computed once, and logged before it leaves."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest

from catalog.food_delivery.definition import DEFINITION as FOOD
from catalog.iris.definition import DEFINITION as IRIS
from serving.loaded_model import LoadedModel
from serving.model_calls import MAX_ROWS_PER_CALL
from serving.settings import Durability
from serving.spool import read_frames
from tests.fakes.remote_cache import MemoryRemoteCache
from tests.predictor_bench import Bench, counted, flower, run
from tests.tiny_servables import loaded_tiny


@pytest.fixture(scope="module")
def iris(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    return loaded_tiny(IRIS, tmp_path_factory.mktemp("iris"))


@pytest.fixture(scope="module")
def food(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    return loaded_tiny(FOOD, tmp_path_factory.mktemp("food"), version="3")


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
