"""The background work of a worker: what must not wait for models does not, and an end that fails in one place goes on."""

from __future__ import annotations

import asyncio
from pathlib import Path

from prometheus_client import CollectorRegistry

from serving.following import Follower, Sources
from serving.metrics import Metrics
from serving.model_board import ModelBoard
from serving.prediction_log import PredictionLog
from serving.runtime import Runtime
from serving.settings import Durability, FullLogPolicy
from serving.spool import SpoolLimits, SpoolWriter
from tests.fakes.segment_files import MemorySegmentFiles
from tests.prediction_records import made_record

PATIENCE_SECONDS = 10.0


class Loading(Follower):
    """Its first look at the models does not end."""

    async def step(self) -> None:
        await asyncio.Event().wait()


class Bench:
    """A worker's background work that notes what of it ran and what was closed."""

    def __init__(self, follower: type[Follower] = Follower) -> None:
        self.files, metrics = MemorySegmentFiles(), Metrics(CollectorRegistry())
        spool = SpoolWriter(Path("/spool"), self.files, SpoolLimits(spool_bytes=1 << 20))
        self.log = PredictionLog(
            spool, metrics, durability=Durability.PROCESS, policy=FullLogPolicy.AVAILABLE
        )
        self.watched, self.ran, self.ended, self.closed = (asyncio.Event() for _ in range(4))
        self.runtime = Runtime(
            follower=follower(
                ModelBoard({}, metrics), metrics, sources=Sources(store=None, baked=None, pins={})
            ),
            errands=[self._errand],
            log=self.log,
            metrics=metrics,
            closers=[self._close],
        )
        self.runtime.also_watches(self._watch)

    async def _watch(self) -> None:
        self.watched.set()
        await asyncio.Event().wait()

    async def _errand(self) -> None:
        self.ran.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.ended.set()

    async def _close(self) -> None:
        self.closed.set()


def test_drain_and_parent_are_watched_while_a_model_is_still_loading() -> None:
    async def starts() -> None:
        bench = Bench(Loading)
        await bench.runtime.start()
        await asyncio.wait_for(bench.watched.wait(), PATIENCE_SECONDS)
        assert not bench.ran.is_set()
        await bench.runtime.stop()

    asyncio.run(starts())


def test_a_disk_that_refuses_the_last_seal_keeps_nothing_else_from_ending() -> None:
    async def ends() -> None:
        bench = Bench()
        await bench.runtime.start()
        await asyncio.wait_for(bench.ran.wait(), PATIENCE_SECONDS)
        await bench.log.append([made_record()])
        bench.files.fail["rename"] = [OSError(5, "Input/output error")]
        await bench.runtime.stop()
        assert bench.ended.is_set()
        assert bench.closed.is_set()
        assert bench.files.open == {}  # let go, so that the agent adopts what was written

    asyncio.run(ends())
