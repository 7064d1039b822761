"""Many rows of one request: each distinct one computed once, all of them logged or none, and others not held up."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from catalog.iris.definition import DEFINITION as IRIS
from modelkit.errors import DeadlineExceeded, PredictionFailed
from serving.loaded_model import LoadedModel
from tests.fakes.remote_cache import MemoryRemoteCache
from tests.predictor_bench import Bench, asking, counted, flower, run
from tests.tiny_servables import loaded_tiny

MANY = 500


@pytest.fixture(scope="module")
def iris(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    return loaded_tiny(IRIS, tmp_path_factory.mktemp("iris"))


def flowers(model: LoadedModel, count: int = MANY) -> list[msgspec.Struct]:
    return [flower(model, 1 + place / 1000) for place in range(count)]


def test_every_row_gets_the_answer_it_would_get_alone_in_order(iris: LoadedModel) -> None:
    async def scenario() -> None:
        bench = Bench()
        rows = flowers(iris)
        answers = await bench.ask(iris, *rows)
        assert [answer.outcome for answer in answers] == [iris.predict([row])[0] for row in rows]
        logged = bench.logged()
        assert [record.prediction_id for record in logged] == [answer.prediction_id for answer in answers]
        assert len({record.prediction_id for record in logged}) == MANY

    run(scenario)


@pytest.mark.parametrize("remote", [False, True])
def test_a_row_that_is_there_several_times_is_computed_once(iris: LoadedModel, remote: bool) -> None:
    async def scenario() -> None:
        bench = Bench(remote=MemoryRemoteCache() if remote else None)
        model, calls = counted(iris)
        answers = await bench.ask(model, *[flower(model, 1.0), flower(model, 2.0)] * 8)
        assert sum(calls) == 2
        assert [answer.cached for answer in answers] == [False, False] + [True] * 14
        labels = {"model": "iris", "version": "1", "outcome": "ok"}
        assert bench.figure("predictions_total", **labels, source="model") == 2

    run(scenario)


def test_two_requests_with_the_same_rows_compute_each_once(iris: LoadedModel) -> None:
    async def scenario() -> None:
        bench = Bench(remote=MemoryRemoteCache())
        model, calls = counted(iris)
        rows = flowers(model, 20)
        first, second = await asyncio.gather(bench.ask(model, *rows), bench.ask(model, *reversed(rows)))
        assert sum(calls) == 20
        assert [answer.outcome for answer in first] == [answer.outcome for answer in reversed(second)]
        assert bench.predictor.is_idle

    run(scenario)


def test_a_row_that_fails_is_its_own_failure_where_such_rows_are_skipped(iris: LoadedModel) -> None:
    async def scenario() -> None:
        bench = Bench()
        model, _ = counted(iris, column="sepal_length", poison=1.1)
        found = await bench.predictor.predict_each(model, flowers(model), asking(), skips=True)
        failed = [place for place, each in enumerate(found) if isinstance(each, PredictionFailed)]
        assert failed == [100]
        assert len(bench.logged()) == len(found) - 1 == MANY - 1

    run(scenario)


def test_without_skipping_the_first_failure_ends_it_and_nothing_is_logged(iris: LoadedModel) -> None:
    async def scenario() -> None:
        bench = Bench()
        model, _ = counted(iris, column="sepal_length", poison=1.1)
        found = await bench.predictor.predict_each(model, flowers(model), asking(), skips=False)
        assert isinstance(found[100], PredictionFailed)
        assert len(found) < MANY
        assert bench.logged() == []
        assert bench.predictor.is_idle

    run(scenario)


def test_one_row_is_answered_while_many_are_computed(iris: LoadedModel) -> None:
    async def scenario() -> None:
        bench = Bench()
        large = asyncio.ensure_future(bench.ask(iris, *flowers(iris)))
        await asyncio.sleep(0)
        for length in (20.0, 21.0, 22.0):
            await bench.ask(iris, flower(iris, length))
        assert not large.done()
        assert len(await large) == MANY

    run(scenario)


def test_a_request_whose_deadline_passes_stops_and_has_logged_nothing(iris: LoadedModel) -> None:
    async def scenario() -> None:
        bench = Bench()
        model, calls = counted(iris)
        with pytest.raises(DeadlineExceeded):
            await bench.ask(model, *flowers(model), seconds=-1.0)
        assert calls == []
        assert bench.logged() == []

    run(scenario)


def test_a_request_that_is_cancelled_computes_no_further_slice(iris: LoadedModel) -> None:
    async def scenario() -> None:
        bench = Bench()
        model, calls = counted(iris)
        large = asyncio.ensure_future(bench.ask(model, *flowers(model)))
        while not calls:
            await asyncio.sleep(0)
        large.cancel()
        await asyncio.gather(large, return_exceptions=True)
        await asyncio.sleep(0)
        assert sum(calls) < MANY
        assert bench.logged() == []
        assert bench.predictor.is_idle

    run(scenario)


def test_rows_of_a_large_request_take_no_room_from_those_of_others(iris: LoadedModel) -> None:
    async def scenario() -> None:
        bench = Bench(cache_entries=100)
        single = [flower(iris, 10.0 + place / 100) for place in range(100)]
        for row in single:
            await bench.ask(iris, row)
        await bench.ask(iris, *flowers(iris))
        answers = [(await bench.ask(iris, row))[0] for row in single]
        assert all(answer.cached for answer in answers)

    run(scenario)


def test_rows_of_a_large_request_are_kept_where_there_is_room(iris: LoadedModel) -> None:
    async def scenario() -> None:
        bench = Bench()
        model, calls = counted(iris)
        await bench.ask(model, *flowers(model))
        answers = await bench.ask(model, *flowers(model))
        assert sum(calls) == MANY
        assert all(answer.cached for answer in answers)

    run(scenario)


def test_the_shared_cache_is_asked_and_told_in_parts(iris: LoadedModel) -> None:
    async def scenario() -> None:
        remote = MemoryRemoteCache()
        bench = Bench(remote=remote)
        await bench.ask(iris, *flowers(iris))
        await asyncio.sleep(0.05)
        other = Bench(remote=remote)
        answers = await other.ask(iris, *flowers(iris))
        assert all(answer.cached for answer in answers)

    run(scenario)
