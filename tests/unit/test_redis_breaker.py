"""When Redis is left alone, and for how long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from serving.adapters.patience import LEAST_SECONDS, Patience
from serving.adapters.redis_breaker import PAUSES, Breaker

PATIENCE_SECONDS = 10.0


class Pinged:
    """A server that is down, or is not."""

    def __init__(self, *, down: bool) -> None:
        self.down, self.pings, self.told = down, 0, list[float]()
        self.breaker = Breaker(self.ping, self.told.append, purpose="tests")

    async def ping(self) -> None:
        self.pings += 1
        if self.down:
            raise ConnectionError

    def failed(self) -> None:
        self.breaker.failed(ConnectionError())


async def until(fact: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not fact():
            await asyncio.sleep(0.01)


def test_one_lost_call_costs_one_question() -> None:
    async def scenario() -> None:
        server = Pinged(down=False)
        server.failed()
        assert server.breaker.open
        await until(lambda: not server.breaker.open)
        assert (server.pings, server.told) == (1, [1, 0])

    asyncio.run(scenario())


def test_it_is_left_alone_for_as_long_as_it_does_not_answer_and_used_again_without_anybody_asking() -> None:
    async def scenario() -> None:
        server = Pinged(down=True)
        server.failed()
        await until(lambda: server.pings >= 2)
        assert server.breaker.open
        server.down = False
        await until(lambda: not server.breaker.open)
        assert server.told == [1, 0]

    asyncio.run(scenario())


def test_calls_that_fail_together_are_one_failure() -> None:
    async def scenario() -> None:
        server = Pinged(down=False)
        for _ in range(16):
            server.failed()
        await until(lambda: not server.breaker.open)
        assert (server.pings, server.told) == (1, [1, 0])

    asyncio.run(scenario())


def test_one_that_answers_questions_and_nothing_else_is_asked_less_and_less_often() -> None:
    async def scenario() -> list[float]:
        server, waits = Pinged(down=False), []
        loop = asyncio.get_running_loop()
        for _ in range(3):
            begin = loop.time()
            server.failed()
            await until(lambda: not server.breaker.open)
            waits.append(loop.time() - begin)
        return waits

    _, second, third = asyncio.run(scenario())
    assert second >= PAUSES[1]
    assert third >= PAUSES[2]


def test_closing_ends_the_questions() -> None:
    async def scenario() -> None:
        server = Pinged(down=True)
        server.failed()
        await until(lambda: server.pings >= 1)
        await server.breaker.close()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(scenario())


def test_a_look_up_is_waited_for_a_few_times_as_long_as_it_usually_takes() -> None:
    patience = Patience(0.05)
    assert patience.seconds == 0.05
    for _ in range(200):
        patience.took(0.0003)
    assert patience.seconds == LEAST_SECONDS
    for _ in range(200):
        patience.took(0.003)
    assert 0.0119 < patience.seconds < 0.0121


def test_a_tier_that_became_slower_for_good_is_waited_for_again() -> None:
    patience = Patience(0.05)
    for _ in range(200):
        patience.took(0.0003)
    latency = 0.012
    calls = 0
    while patience.seconds < latency:
        patience.took(patience.seconds)
        calls += 1
        assert calls < 100


def test_patience_ends_at_the_budget() -> None:
    patience = Patience(0.05)
    for _ in range(200):
        patience.took(1.0)
    assert patience.seconds == 0.05
