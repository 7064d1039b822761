"""The log as those who wait for an answer meet it: appended together, written once, and told of when it is not."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Iterator, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from modelkit.errors import LogUnavailable
from records.prediction_record import PredictionRecord
from serving.metrics import Metrics
from serving.prediction_log import PredictionLog
from serving.request_log.model_lines import ToldLog
from serving.request_log.writer import Stream
from serving.settings import Durability, FullLogPolicy
from serving.spool import SpoolLimits, SpoolWriter, read_frames
from tests.fakes.segment_files import MemorySegmentFiles, no_space
from tests.prediction_records import figure, made_record

GENEROUS_SECONDS = 30


class Stand:
    """A log over files in memory, with its figures."""

    def __init__(self, policy: FullLogPolicy, durability: Durability = Durability.PROCESS) -> None:
        self.files, self._registry = MemorySegmentFiles(), CollectorRegistry()
        self._metrics = Metrics(self._registry)
        spool = SpoolWriter(Path("/spool"), self.files, SpoolLimits(spool_bytes=1 << 20))
        self.log = PredictionLog(spool, self._metrics, durability=durability, policy=policy)

    def written(self) -> int:
        return sum(len(list(read_frames(content))) for content in self.files.files.values())

    def counted(self, result: str) -> float:
        self._metrics.fold()
        return figure(self._registry, "slipway_prediction_log_records_total", result=result)


@pytest.fixture(params=Durability)
def durability(request: pytest.FixtureRequest) -> Durability:
    return Durability(request.param)


@pytest.fixture
def lines() -> Iterator[list[MutableMapping[str, Any]]]:
    with capture_logs() as captured:
        yield captured


async def waiting(log: PredictionLog, name: str) -> None:
    await log.append([made_record(name)])


async def outcomes(*waited: Awaitable[None]) -> list[type[BaseException] | None]:
    found = await asyncio.gather(*waited, return_exceptions=True)
    return [None if each is None else type(each) for each in found]


def test_whoever_is_cancelled_leaves_his_record_in_the_log_and_harms_nobody(durability: Durability) -> None:
    async def scenario() -> None:
        stand = Stand(FullLogPolicy.STRICT, durability)
        tasks = [asyncio.ensure_future(waiting(stand.log, f"p-{number}")) for number in range(3)]
        await asyncio.sleep(0)
        tasks[1].cancel()
        assert await outcomes(*tasks) == [None, asyncio.CancelledError, None]
        assert stand.written() == 3

    asyncio.run(scenario())


def test_what_is_appended_is_written_though_nobody_waits(durability: Durability) -> None:
    async def scenario() -> None:
        stand = Stand(FullLogPolicy.AVAILABLE, durability)
        ignored = stand.log.append([made_record("p-1")])
        await waiting(stand.log, "p-2")
        assert stand.written() == 2
        await ignored

    asyncio.run(scenario())


def test_with_strict_all_of_a_turn_that_was_not_written_are_refused_and_the_next_is_written(
    durability: Durability,
) -> None:
    async def scenario() -> None:
        stand = Stand(FullLogPolicy.STRICT, durability)
        stand.files.fail["write"] = [no_space()]
        turns = [
            await outcomes(*(waiting(stand.log, f"p-{turn}-{n}") for n in range(3))) for turn in range(2)
        ]
        assert turns == [[LogUnavailable] * 3, [None] * 3]
        assert (stand.written(), stand.counted("dropped"), stand.counted("written")) == (3, 3, 3)

    asyncio.run(scenario())


def test_a_record_that_cannot_be_written_down_ends_its_turn_too(durability: Durability) -> None:
    async def scenario() -> None:
        stand = Stand(FullLogPolicy.AVAILABLE, durability)
        wrong = msgspec.structs.replace(made_record("p-1"), created_at=object())
        assert await outcomes(stand.log.append([wrong])) == [TypeError]
        assert await outcomes(waiting(stand.log, "p-2")) == [None]

    asyncio.run(asyncio.wait_for(scenario(), GENEROUS_SECONDS))


def test_a_record_that_was_not_written_is_not_counted_again_as_not_synced() -> None:
    async def scenario() -> None:
        stand = Stand(FullLogPolicy.AVAILABLE, Durability.DISK)
        stand.files.fail = {"write": [no_space()], "sync": [no_space()]}
        await waiting(stand.log, "p-1")
        assert (stand.counted("dropped"), stand.counted("not_synced")) == (1, 0)

    asyncio.run(scenario())


def test_no_model_that_is_being_loaded_holds_up_a_sync() -> None:
    async def scenario() -> None:
        loop, loaded = asyncio.get_running_loop(), threading.Event()
        loop.set_default_executor(ThreadPoolExecutor(1))
        loading = asyncio.ensure_future(asyncio.to_thread(loaded.wait, GENEROUS_SECONDS))
        try:
            async with asyncio.timeout(GENEROUS_SECONDS / 2):
                await waiting(Stand(FullLogPolicy.STRICT, Durability.DISK).log, "p-1")
        finally:
            loaded.set()
        assert await loading

    asyncio.run(scenario())


@pytest.mark.parametrize(("failing", "result"), [("write", "dropped"), ("sync", "not_synced")])
@pytest.mark.parametrize("policy", FullLogPolicy)
def test_records_that_are_not_kept_are_told_of_once_and_not_with_every_turn(
    policy: FullLogPolicy, failing: str, result: str, lines: list[MutableMapping[str, Any]]
) -> None:
    async def scenario() -> None:
        stand = Stand(policy, Durability.DISK)
        stand.files.fail[failing] = [no_space() for _ in range(5)]
        for turn in range(5):
            await outcomes(waiting(stand.log, f"p-{turn}"))
        assert stand.counted(result) == 5

    asyncio.run(scenario())
    (line,) = lines
    assert (line["event"], line["log_level"], line["result"]) == ("records not kept", "error", result)
    assert "No space left" in line["reason"]


def test_rows_that_the_log_refuses_get_no_line() -> None:
    async def scenario() -> None:
        stand = Stand(FullLogPolicy.STRICT)
        stream = Stream[PredictionRecord]("model", lambda record: b"", [], lambda *_: None)
        told = ToldLog(stand.log, stream)
        stand.files.fail["write"] = [no_space()]
        refused = await outcomes(told.append([made_record("p-1")]), told.append([made_record("p-2")]))
        kept = await outcomes(told.append([made_record("p-3")]))
        assert (refused, kept) == ([LogUnavailable] * 2, [None])
        assert [record.prediction_id for record in stream.items] == ["p-3"]

    asyncio.run(scenario())
