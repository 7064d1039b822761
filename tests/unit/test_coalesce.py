"""Coalescing: one flush per turn, each item its own result, whatever happens to its neighbours."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from serving.coalesce import Coalescer


class Doubling:
    """A flush that doubles numbers and records its turns."""

    def __init__(self, *, refused: int | None = None, failure: Exception | None = None) -> None:
        self.turns: list[list[int]] = []
        self._refused, self._failure = refused, failure

    def __call__(self, items: list[int]) -> Sequence[int | Exception]:
        self.turns.append(items)
        if self._failure is not None:
            raise self._failure
        return [LookupError("refused") if item == self._refused else item * 2 for item in items]


class SlowDoubling(Doubling):
    """The same, answering when `gate` opens."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.running = self.most_running = 0

    async def later(self, items: list[int]) -> Sequence[int | Exception]:
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        await self.gate.wait()
        self.running -= 1
        return self(items)


async def submit_all(coalescer: Coalescer[int, int], numbers: Sequence[int]) -> list[int | BaseException]:
    return list(await asyncio.gather(*map(coalescer.submit, numbers), return_exceptions=True))


async def some_turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_items_of_one_turn_go_through_one_flush_in_order() -> None:
    flush = Doubling()

    async def scenario() -> list[int | BaseException]:
        return await submit_all(Coalescer(flush, max_items=100), range(50))

    assert asyncio.run(scenario()) == [number * 2 for number in range(50)]
    assert flush.turns == [list(range(50))]


def test_items_of_two_turns_go_through_two_flushes() -> None:
    flush = Doubling()

    async def scenario() -> list[int]:
        coalescer = Coalescer(flush, max_items=100)
        return [await coalescer.submit(1), await coalescer.submit(2)]

    assert asyncio.run(scenario()) == [2, 4]
    assert flush.turns == [[1], [2]]


def test_no_flush_is_larger_than_the_limit() -> None:
    flush = Doubling()

    async def scenario() -> list[int | BaseException]:
        return await submit_all(Coalescer(flush, max_items=4), range(10))

    assert asyncio.run(scenario()) == [number * 2 for number in range(10)]
    assert flush.turns == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


def test_an_exception_among_the_results_fails_its_item_alone() -> None:
    async def scenario() -> list[int | BaseException]:
        return await submit_all(Coalescer(Doubling(refused=2), max_items=100), [1, 2, 3])

    first, second, third = asyncio.run(scenario())
    assert (first, third) == (2, 6)
    assert isinstance(second, LookupError)


def test_a_raised_exception_fails_every_item_of_its_turn_and_no_other() -> None:
    async def scenario() -> tuple[list[int | BaseException], int]:
        flush = Doubling(failure=OSError("disk"))
        coalescer = Coalescer(flush, max_items=100)
        failed = await submit_all(coalescer, [1, 2])
        flush._failure = None
        return failed, await coalescer.submit(3)

    failed, after = asyncio.run(scenario())
    assert [type(error) for error in failed] == [OSError, OSError]
    assert after == 6


def test_a_flush_with_too_few_results_fails_its_items_instead_of_mixing_them_up() -> None:
    async def short(items: list[int]) -> Sequence[int | Exception]:
        return items[1:]

    async def scenario() -> list[int | BaseException]:
        return await submit_all(Coalescer(short, max_items=100), [1, 2, 3])

    answers = asyncio.run(scenario())
    assert isinstance(answers[-1], ValueError)


def test_an_asynchronous_flush_answers_when_it_is_done() -> None:
    async def scenario() -> tuple[list[int], list[list[int]]]:
        flush = SlowDoubling()
        coalescer: Coalescer[int, int] = Coalescer(flush.later, max_items=100)
        waiting = [coalescer.submit(number) for number in (1, 2)]
        await some_turns()
        assert not any(future.done() for future in waiting)
        flush.gate.set()
        return list(await asyncio.gather(*waiting)), flush.turns

    assert asyncio.run(scenario()) == ([2, 4], [[1, 2]])


def test_an_asynchronous_flush_that_fails_fails_its_items() -> None:
    async def failing(items: list[int]) -> Sequence[int | Exception]:
        raise ConnectionError

    async def scenario() -> list[int | BaseException]:
        return await submit_all(Coalescer(failing, max_items=100), [1, 2])

    assert [type(error) for error in asyncio.run(scenario())] == [ConnectionError, ConnectionError]


def test_asynchronous_flushes_overlap_unless_one_at_a_time_is_asked_for() -> None:
    async def scenario(*, one_at_a_time: bool) -> tuple[int, list[list[int]]]:
        flush = SlowDoubling()
        coalescer: Coalescer[int, int] = Coalescer(flush.later, max_items=100, one_at_a_time=one_at_a_time)
        waiting = []
        for number in range(4):
            waiting.append(coalescer.submit(number))
            await some_turns()
        flush.gate.set()
        assert await asyncio.gather(*waiting) == [0, 2, 4, 6]
        return flush.most_running, flush.turns

    assert asyncio.run(scenario(one_at_a_time=False)) == (4, [[0], [1], [2], [3]])
    assert asyncio.run(scenario(one_at_a_time=True)) == (1, [[0], [1, 2, 3]])


@pytest.mark.parametrize("slow", [False, True])
def test_a_waiter_that_was_cancelled_does_not_harm_its_neighbours(slow: bool) -> None:
    async def scenario() -> list[int]:
        flush = SlowDoubling()
        flush.gate.set()
        coalescer: Coalescer[int, int] = Coalescer(flush.later if slow else flush, max_items=100)
        gone, stays = coalescer.submit(1), coalescer.submit(2)
        gone.cancel()
        answers = [await stays, await coalescer.submit(3)]
        assert gone.cancelled()
        return answers

    assert asyncio.run(scenario()) == [4, 6]
