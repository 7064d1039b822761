"""Turns of the loop: large work goes on in slices, in the order it was asked for, with room for others between."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from itertools import pairwise

import pytest

from serving.turns import ROUNDS_BETWEEN, Turns, at_once, slices_of


def steps(name: str, count: int, seen: list[str]) -> Generator[None, None, str]:
    for number in range(count):
        if number:
            yield
        seen.append(f"{name}{number}")
    return name


def test_slices_of_several_requests_take_turns() -> None:
    seen: list[str] = []

    async def scenario() -> list[str]:
        turns = Turns()
        return [*await asyncio.gather(turns.through(steps("a", 3, seen)), turns.through(steps("b", 3, seen)))]

    assert asyncio.run(scenario()) == ["a", "b"]
    assert seen == ["a0", "b0", "a1", "b1", "a2", "b2"]


def test_between_two_slices_the_loop_goes_round_as_often_as_one_row_needs() -> None:
    rounds: list[int] = []

    async def scenario() -> None:
        turns, passed = Turns(), 0

        async def others() -> None:
            nonlocal passed
            while True:
                passed += 1
                await asyncio.sleep(0)

        beside = asyncio.create_task(others())
        for _ in range(4):
            await turns.next()
            rounds.append(passed)
        beside.cancel()

    asyncio.run(scenario())
    assert all(after - before >= ROUNDS_BETWEEN for before, after in pairwise(rounds))


def test_whoever_is_cancelled_while_he_waits_holds_nobody_up() -> None:
    async def scenario() -> bool:
        turns = Turns()
        await turns.next()
        gone = asyncio.ensure_future(turns.next())
        behind = asyncio.ensure_future(turns.next())
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.wait_for(behind, 10)
        return gone.cancelled()

    assert asyncio.run(scenario())


def test_a_failure_in_a_slice_is_the_request_s_own() -> None:
    def failing() -> Generator[None, None, None]:
        yield
        raise LookupError

    async def scenario() -> None:
        turns = Turns()
        with pytest.raises(LookupError):
            await turns.through(failing())
        await turns.next()

    asyncio.run(scenario())


def test_what_is_small_needs_no_turns() -> None:
    seen: list[str] = []
    assert at_once(steps("a", 3, seen)) == "a"
    assert seen == ["a0", "a1", "a2"]


@pytest.mark.parametrize("size", [0, 1, 31, 32, 33, 5000])
def test_slices_cover_every_row_once(size: int) -> None:
    assert [place for part in slices_of(size) for place in range(*part.indices(size))] == list(range(size))
