"""A disk that refuses a write or a sync, seen by whoever waits for an answer: every record is kept, counted or refused."""

from __future__ import annotations

import asyncio
import errno
from contextlib import suppress
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from modelkit.errors import LogUnavailable
from serving.adapters.segment_files import PosixSegmentFiles
from serving.agent.metrics import AgentMetrics
from serving.agent.segments import SegmentFolder
from serving.agent.shipper import Shipper
from serving.metrics import Metrics
from serving.prediction_log import PredictionLog
from serving.settings import Durability, FullLogPolicy
from serving.spool import SpoolLimits, SpoolWriter, read_frames
from tests.fakes.prediction_table import MemoryPredictionTable
from tests.fakes.segment_files import MemorySegmentFiles, no_space
from tests.prediction_records import figure, made_record

REFUSALS = {"ENOSPC": no_space(), "EIO": OSError(errno.EIO, "Input/output error")}


class FailsOnce(MemorySegmentFiles):
    """The nth call of an operation fails."""

    def __init__(self, operation: str, at: int, error: OSError) -> None:
        super().__init__()
        self._operation, self._at, self._error = operation, at, error

    def _called(self, name: str) -> None:
        super()._called(name)
        if name == self._operation and self.calls.count(name) == self._at + 1:
            raise self._error


class TornFiles(PosixSegmentFiles):
    """A disk on which a write ends in its last record, and nothing can be cut off."""

    def __init__(self, torn: int) -> None:
        self._writes_left = torn

    def write(self, descriptor: int, block: bytes) -> None:
        self._writes_left -= 1
        super().write(descriptor, block if self._writes_left else block[:-1])
        if not self._writes_left:
            raise no_space()

    def truncate(self, descriptor: int, size: int) -> None:
        raise OSError(errno.EIO, "Input/output error")


class Bench:
    """A log of disk durability whose third call of an operation fails."""

    def __init__(self, policy: FullLogPolicy, operation: str, error: OSError) -> None:
        self.files, self._registry = FailsOnce(operation, 2, error), CollectorRegistry()
        self._metrics = Metrics(self._registry)
        spool = SpoolWriter(Path("/spool"), self.files, SpoolLimits(spool_bytes=1 << 20))
        self._log = PredictionLog(spool, self._metrics, durability=Durability.DISK, policy=policy)

    def refused(self) -> list[int]:
        """Which of six turns, of a record each."""
        return asyncio.run(self._turns())

    async def _turns(self) -> list[int]:
        found = []
        for turn in range(6):
            try:
                await self._log.append([made_record(f"p-{turn}")])
            except LogUnavailable:
                found.append(turn)
        return found

    def counted(self, result: str) -> float:
        self._metrics.fold()
        return figure(self._registry, "slipway_prediction_log_records_total", result=result)

    def segments(self) -> list[int]:
        return [len(list(read_frames(content))) for content in self.files.files.values()]


@pytest.mark.parametrize("name", REFUSALS)
@pytest.mark.parametrize("operation", ["write", "sync"])
def test_strict_refuses_what_is_not_safe_and_goes_on(operation: str, name: str) -> None:
    disk = Bench(FullLogPolicy.STRICT, operation, REFUSALS[name])
    assert disk.refused() == [2]
    assert disk.counted("dropped" if operation == "write" else "not_synced") == 1


@pytest.mark.parametrize("name", REFUSALS)
@pytest.mark.parametrize(("operation", "kept"), [("write", [2, 3]), ("sync", [3, 3])])
def test_available_answers_counts_and_starts_a_segment_of_its_own(
    operation: str, kept: list[int], name: str
) -> None:
    disk = Bench(FullLogPolicy.AVAILABLE, operation, REFUSALS[name])
    assert disk.refused() == []
    assert disk.counted("dropped" if operation == "write" else "not_synced") == 1
    assert disk.segments() == kept


def test_a_descriptor_whose_sync_failed_is_never_synced_again() -> None:
    disk = Bench(FullLogPolicy.AVAILABLE, "sync", REFUSALS["EIO"])
    disk.refused()
    assert disk.files.calls.count("sync") == 6
    assert disk.files.calls.count("create") == 2


@pytest.mark.parametrize("torn", [1, 3])
def test_whole_records_of_a_turn_that_was_refused_and_could_not_be_cut_off_are_not_shipped(
    tmp_path: Path, torn: int
) -> None:
    async def kept() -> list[str]:
        spool = SpoolWriter(tmp_path, TornFiles(torn), SpoolLimits(spool_bytes=1 << 20))
        metrics, policy = Metrics(CollectorRegistry()), FullLogPolicy.STRICT
        log, found = PredictionLog(spool, metrics, durability=Durability.PROCESS, policy=policy), []
        for turn in range(1, 6):
            ids = [f"p-{turn}-{number}" for number in range(3)]
            with suppress(LogUnavailable):
                await log.append([made_record(name) for name in ids])
                found += ids
        await log.close()
        return found

    table = MemoryPredictionTable()
    answered = asyncio.run(kept())
    assert len(answered) == 12
    assert Shipper(SegmentFolder(tmp_path), table, AgentMetrics()).step()
    assert sorted(table.rows) == answered
    assert list(tmp_path.iterdir()) == []
