"""Bodies on their way: who waits for one holds no place of others, and where too much is on its way the oldest goes."""

from __future__ import annotations

import asyncio

import pytest
from prometheus_client import CollectorRegistry

from modelkit.errors import Overloaded, RequestTimeout
from serving.metrics import Metrics
from serving.overload.control import IN_FLIGHT, LIMIT
from serving.overload.uploads import Uploads
from tests.prediction_records import figure
from tests.upload_places import uploads_of

LONG = 30.0


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(CollectorRegistry())


class Crowd:
    """Clients whose bodies come as far as a test says. `ended` are those who were not waited for."""

    def __init__(self, uploads: Uploads) -> None:
        self._uploads = uploads
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._parts: dict[str, asyncio.Queue[int | None]] = {}
        self.ended: list[str] = []

    async def send(self, name: str, size: int | None = 0, *, seconds: float = LONG) -> None:
        """So much of it, counted from its beginning; None: all."""
        if name not in self._tasks:
            self._parts[name] = asyncio.Queue()
            self._tasks[name] = asyncio.create_task(self._wait(name, seconds))
        self._parts[name].put_nowait(size)
        for _ in range(10):
            await asyncio.sleep(0)

    async def _wait(self, name: str, seconds: float) -> None:
        try:
            async with self._uploads.place(seconds) as came:
                while (size := await self._parts[name].get()) is not None:
                    came(size)
        except RequestTimeout:
            self.ended.append(name)

    async def leave(self) -> None:
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)


def test_who_waits_for_a_body_is_not_in_flight(metrics: Metrics) -> None:
    async def scenario() -> None:
        crowd = Crowd(uploads_of(metrics))
        metrics.in_flight = 3  # the app has counted these
        for name in "abc":
            await crowd.send(name)
        assert (metrics.in_flight, metrics.overload.uploads) == (0, 3)
        await crowd.send("b", None)
        assert (metrics.in_flight, metrics.overload.uploads) == (1, 2)
        await crowd.leave()
        assert (metrics.in_flight, metrics.overload.uploads) == (3, 0)

    asyncio.run(scenario())


def test_a_body_that_does_not_come_in_time_is_not_waited_for() -> None:
    async def scenario() -> list[str]:
        crowd = Crowd(uploads_of())
        await crowd.send("a", seconds=0.01)
        while not crowd.ended:
            await asyncio.sleep(0.01)
        return crowd.ended

    assert asyncio.run(scenario()) == ["a"]


def test_of_too_many_the_oldest_makes_room(metrics: Metrics) -> None:
    async def scenario() -> list[str]:
        crowd = Crowd(uploads_of(metrics, most=4))
        for name in "abcdef":
            await crowd.send(name)
        assert metrics.overload.uploads == 4
        await crowd.leave()
        return crowd.ended

    assert asyncio.run(scenario()) == ["a", "b"]
    assert figure(metrics.registry, "slipway_uploads_made_room_total") == 2


def test_of_too_much_the_oldest_makes_room_and_what_it_held_is_free(metrics: Metrics) -> None:
    async def scenario() -> list[str]:
        crowd = Crowd(uploads_of(metrics, most=100, most_bytes=10_000))
        for name in "abc":
            await crowd.send(name, 3_000)
        assert crowd.ended == []
        await crowd.send("b", 5_000)
        assert crowd.ended == ["a"]
        await crowd.send("a", 9_000)  # it still sends, and is not counted any more
        await crowd.send("d", 1_000)
        assert crowd.ended == ["a"]
        await crowd.leave()
        return crowd.ended

    assert asyncio.run(scenario()) == ["a"]


def test_the_only_one_may_hold_as_much_as_a_body_may_have() -> None:
    async def scenario() -> list[str]:
        crowd = Crowd(uploads_of(most_bytes=1_000))
        await crowd.send("a", 5_000)
        await crowd.leave()
        return crowd.ended

    assert asyncio.run(scenario()) == []


def test_one_whose_time_is_over_just_when_room_is_needed_goes_once(metrics: Metrics) -> None:
    async def scenario() -> list[str]:
        crowd = Crowd(uploads_of(metrics, most=2))
        await crowd.send("a", seconds=0.0)
        for name in "bc":
            await crowd.send(name)
        await crowd.leave()
        return crowd.ended

    assert asyncio.run(scenario()) == ["a"]
    assert (metrics.in_flight, metrics.overload.uploads) == (0, 0)


def test_bodies_that_come_together_do_not_fill_more_than_there_are_places(metrics: Metrics) -> None:
    uploads = uploads_of(metrics, max_in_flight=8)
    metrics.in_flight = 8
    uploads.refuse_if_filled(None, limited=False)
    metrics.in_flight = 9
    with pytest.raises(Overloaded):
        uploads.refuse_if_filled(None, limited=False)
    metrics.fold()
    assert figure(metrics.registry, "slipway_shed_total", reason=IN_FLIGHT) == 1


def test_what_predicts_nothing_does_not_meet_the_limit_of_predictions(metrics: Metrics) -> None:
    uploads = uploads_of(metrics, in_progress=1000)
    uploads.refuse_if_filled("ada", limited=False)
    with pytest.raises(Overloaded):
        uploads.refuse_if_filled("ada", limited=True)
    metrics.fold()
    assert figure(metrics.registry, "slipway_shed_total", reason=LIMIT) == 1
