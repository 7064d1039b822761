"""A run of the prediction log whose every step on disk is written down: what a power loss may undo is told from the steps."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import CollectorRegistry

from records.prediction_record import PredictionRecord
from serving.adapters.segment_files import PosixSegmentFiles
from serving.agent.metrics import AgentMetrics
from serving.agent.segments import SegmentFolder
from serving.agent.shipper import Shipper
from serving.metrics import Metrics
from serving.prediction_log import PredictionLog
from serving.settings import Durability, FullLogPolicy
from serving.spool import NEW, SpoolLimits, SpoolWriter
from tests.durability.kernel_calls import kernel_calls
from tests.fakes.clock import FakeClock
from tests.fakes.prediction_table import MemoryPredictionTable
from tests.prediction_records import made_record

RECORDS, SEED = 500, 20261122
TURNS_PER_SEGMENT, TURNS_PER_SHIPMENT = 3, 4


@dataclass(frozen=True, kw_only=True)
class Step:
    """`file` is a number that stays with a file whatever its name; `ids` are predictions, answered or committed."""

    kind: str
    file: int = 0
    name: str = ""
    target: str = ""
    block: bytes = b""
    ids: tuple[str, ...] = ()


class RecordedFiles(PosixSegmentFiles):
    """SegmentFiles on a real folder: a sync is one that the kernel was asked for. `missing` are operations that do nothing,
    as if nobody had written the call."""

    def __init__(self, missing: str = "") -> None:
        super().__init__()
        self._missing = missing
        self.steps: list[Step] = []
        self._by_name: dict[str, int] = {}
        self._by_descriptor: dict[int, int] = {}

    def create(self, path: Path) -> int:
        number = len(self.steps) + 1
        hidden = path.with_suffix(NEW).name
        self.steps.append(Step(kind="create", file=number, name=hidden))
        self._by_name[hidden] = number
        descriptor = super().create(path)
        self._by_descriptor[descriptor] = number
        return descriptor

    def write(self, descriptor: int, block: bytes) -> None:
        super().write(descriptor, block)
        self.steps.append(Step(kind="write", file=self._by_descriptor[descriptor], block=block))

    def sync(self, descriptor: int) -> None:
        if self._missing != "sync":
            with kernel_calls(os.fdatasync) as synced:
                super().sync(descriptor)
            self.steps.extend(Step(kind="sync", file=self._by_name[path.name]) for path in synced)

    def sync_folder(self, folder: Path) -> None:
        if self._missing != "sync_folder":
            with kernel_calls(os.fsync) as synced:
                super().sync_folder(folder)
            self.steps.extend(Step(kind="sync_folder", name=str(path)) for path in synced)

    def sync_above(self, folder: Path) -> None:
        if self._missing != "sync_above":
            super().sync_above(folder)

    def rename(self, source: Path, target: Path) -> None:
        super().rename(source, target)
        number = self._by_name.pop(source.name)
        self._by_name[target.name] = number
        self.steps.append(Step(kind="rename", file=number, name=source.name, target=target.name))

    def unlinked(self, path: Path) -> None:
        self.steps.append(Step(kind="unlink", file=self._by_name.pop(path.name), name=path.name))


class RecordedFolder(SegmentFolder):
    """The agent's side, which deletes what it has shipped."""

    def __init__(self, folder: Path, files: RecordedFiles) -> None:
        super().__init__(folder)
        self._files = files

    def delete(self, path: Path) -> None:
        super().delete(path)
        self._files.unlinked(path)


class RecordedTable(MemoryPredictionTable):
    """A commit is final once it has returned; that a database keeps it is its own promise."""

    def __init__(self, steps: list[Step]) -> None:
        super().__init__()
        self._steps = steps

    def insert(self, records: Sequence[PredictionRecord]) -> int:
        new = super().insert(records)
        self._steps.append(Step(kind="committed", ids=tuple(record.prediction_id for record in records)))
        return new


def recorded_run(folder: Path, *, durability: Durability = Durability.DISK, missing: str = "") -> list[Step]:
    """The steps of RECORDS predictions in turns of one to eight, shipped as they go."""
    files, clock = RecordedFiles(missing), FakeClock()
    spool = SpoolWriter(folder, files, SpoolLimits(spool_bytes=1 << 24), clock=clock)
    log = PredictionLog(
        spool, Metrics(CollectorRegistry()), durability=durability, policy=FullLogPolicy.STRICT
    )
    shipper = Shipper(RecordedFolder(folder, files), RecordedTable(files.steps), AgentMetrics())
    asyncio.run(_predict(log, files.steps, clock, shipper.step))
    return files.steps


async def _predict(log: PredictionLog, steps: list[Step], clock: FakeClock, ship: Callable[[], bool]) -> None:
    for turn, ids in enumerate(_turns()):
        await asyncio.gather(*(log.append([made_record(name)]) for name in ids))
        steps.append(Step(kind="answered", ids=ids))
        if turn % TURNS_PER_SEGMENT == TURNS_PER_SEGMENT - 1:
            clock.advance(60)
            await log.tend()
        if turn % TURNS_PER_SHIPMENT == TURNS_PER_SHIPMENT - 1:
            assert ship()
    await log.close()


def _turns() -> list[tuple[str, ...]]:
    chance, names = random.Random(SEED), [f"p-{number:03d}" for number in range(RECORDS)]
    turns = []
    while names:
        count = chance.randint(1, 8)
        turns.append(tuple(names[:count]))
        del names[:count]
    return turns
