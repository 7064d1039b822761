"""Writers: the worker that has the agent goes last, but not later than anybody may still be answered."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from serving.lifecycle.drain import Drain
from serving.lifecycle.writers import SEAL_SECONDS, Writers

PATIENCE_SECONDS = 10.0


def worker(folder: Path, *, seconds: float = 2 * PATIENCE_SECONDS, leaves: bool = True) -> Writers:
    drain = Drain(folder / "drain")
    if leaves:
        drain.leave()
    return Writers(folder / "spool" / "writers.lock", drain, seconds=seconds)


async def wait_for_nothing(*works: asyncio.Task[None]) -> None:
    done, _ = await asyncio.wait(works, timeout=0.3)
    assert not done


def test_a_worker_that_still_writes_is_waited_for(tmp_path: Path) -> None:
    async def end() -> None:
        one, other = worker(tmp_path), worker(tmp_path)
        own, others = (asyncio.create_task(each.hold()) for each in (one, other))
        await wait_for_nothing(own, others)
        own.cancel()
        waiting = asyncio.create_task(one.gone())
        await wait_for_nothing(waiting, others)
        others.cancel()
        await asyncio.wait_for(waiting, PATIENCE_SECONDS)

    asyncio.run(end())


def test_alone_nobody_is_waited_for(tmp_path: Path) -> None:
    asyncio.run(asyncio.wait_for(worker(tmp_path).gone(), PATIENCE_SECONDS))


@pytest.mark.parametrize("leaves", [True, False], ids=["sigterm", "without-a-signal"])
def test_one_that_hangs_is_not_waited_for_longer_than_its_requests_may_take(
    tmp_path: Path, leaves: bool
) -> None:
    async def end() -> None:
        hanging = asyncio.create_task(worker(tmp_path).hold())
        await wait_for_nothing(hanging)
        gone = worker(tmp_path, seconds=-SEAL_SECONDS, leaves=leaves).gone()
        await asyncio.wait_for(gone, PATIENCE_SECONDS)
        await wait_for_nothing(hanging)
        hanging.cancel()

    asyncio.run(end())
