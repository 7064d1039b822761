"""The shipper: every record in the table exactly once, whatever fails between spool and commit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from records.prediction_record import PredictionRecord
from serving.agent.metrics import AgentMetrics
from serving.agent.pulse import STEP_SECONDS, Pulse
from serving.agent.pulsing_table import PulsingTable
from serving.agent.segments import SegmentFolder
from serving.agent.shipper import BATCH_BYTES, Shipper
from serving.spool import OPEN, SEALED, frame
from tests.fakes.clock import FakeClock
from tests.fakes.prediction_table import MemoryPredictionTable
from tests.prediction_records import figure, made_record, payloads


class BrokenSegments(SegmentFolder):
    """A folder that fails in a way nobody thought of."""

    def adopt_orphans(self) -> int:
        raise RuntimeError("unheard of")


class StickySegments(SegmentFolder):
    """A folder that does not let go of its files, a few times."""

    def __init__(self, folder: Path, failures: int) -> None:
        super().__init__(folder)
        self.failures = failures

    def delete(self, path: Path) -> None:
        if self.failures:
            self.failures -= 1
            raise OSError("read-only file system")
        super().delete(path)


class Bench:
    """A shipper between a folder and a table in memory."""

    def __init__(self, folder: Path, *, undeletable: int = 0) -> None:
        self.folder, self.table, self.metrics = folder, MemoryPredictionTable(), AgentMetrics()
        self.shipper = Shipper(StickySegments(folder, undeletable), self.table, self.metrics)

    def seal(self, number: int, *ids: str, content: bytes | None = None) -> Path:
        path = self.folder / f"w-{number:08d}-{len(ids)}{SEALED}"
        path.write_bytes(b"".join(map(frame, payloads(*ids))) if content is None else content)
        return path

    def shipped(self, result: str) -> float:
        return figure(self.metrics.registry, "slipway_agent_records_total", result=result)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_sealed_segments_are_committed_and_then_deleted(bench: Bench) -> None:
    bench.seal(1, "p-1", "p-2")
    bench.seal(2, "p-3")
    assert bench.shipper.step()
    assert list(bench.table.rows) == ["p-1", "p-2", "p-3"]
    assert left(bench.folder) == []
    assert bench.shipped("committed") == 3


def test_a_dead_writers_records_are_shipped_too(bench: Bench) -> None:
    (bench.folder / f"1.dead-00000001{OPEN}").write_bytes(frame(payloads("p-1")[0]) + b"torn")
    bench.shipper.step()
    assert list(bench.table.rows) == ["p-1"]
    assert left(bench.folder) == []


def test_an_unreachable_table_leaves_everything_in_the_spool(bench: Bench) -> None:
    bench.seal(1, "p-1")
    bench.table.unreachable = True
    assert not bench.shipper.step()
    assert figure(bench.metrics.registry, "slipway_agent_records_pending") == 1
    assert figure(bench.metrics.registry, "slipway_agent_ship_failures_total") == 1
    bench.table.unreachable = False
    assert bench.shipper.step()
    assert list(bench.table.rows) == ["p-1"]
    assert figure(bench.metrics.registry, "slipway_agent_records_pending") == 0


def test_a_connection_lost_after_the_commit_makes_no_second_row(bench: Bench) -> None:
    bench.seal(1, "p-1", "p-2")
    bench.table.lost_answers = 2
    assert not bench.shipper.step()
    assert not bench.shipper.step()
    assert bench.shipper.step()
    assert sorted(bench.table.rows) == ["p-1", "p-2"]
    assert bench.shipped("repeated") == 2
    assert left(bench.folder) == []


def test_a_segment_that_cannot_be_deleted_is_shipped_again_without_a_second_row(tmp_path: Path) -> None:
    bench = Bench(tmp_path, undeletable=1)
    bench.seal(1, "p-1")
    assert not bench.shipper.step()
    assert bench.shipper.step()
    assert bench.table.batches == [["p-1"], ["p-1"]]
    assert (list(bench.table.rows), bench.shipped("committed"), bench.shipped("repeated")) == (["p-1"], 1, 1)


def test_a_corrupt_segment_gives_what_is_readable_and_is_set_aside(bench: Bench) -> None:
    content = b"".join(map(frame, payloads("p-1", "p-2", "p-3")))
    damaged = bytearray(content)
    damaged[-1] ^= 1
    bench.seal(1, "p-1", "p-2", "p-3", content=bytes(damaged))
    bench.seal(2, "p-4")
    assert bench.shipper.step()
    assert list(bench.table.rows) == ["p-1", "p-2", "p-4"]
    assert left(bench.folder) == ["w-00000001-3.corrupt"]
    assert bench.shipped("corrupt") == 1
    assert figure(bench.metrics.registry, "slipway_agent_segments_set_aside") == 1
    bench.shipper.step()
    assert bench.shipped("corrupt") == 1


def test_records_lost_to_a_shortened_segment_are_counted(bench: Bench) -> None:
    content = frame(payloads("p-1")[0])
    bench.seal(1, "p-1", "p-2", "p-3", content=content)
    bench.shipper.step()
    assert (list(bench.table.rows), bench.shipped("corrupt")) == (["p-1"], 2)


def test_a_segment_that_the_disk_does_not_give_back_holds_up_no_other(bench: Bench) -> None:
    (bench.folder / f"unreadable-1{SEALED}").mkdir()
    bench.seal(1, "p-1")
    bench.shipper.step()
    assert list(bench.table.rows) == ["p-1"]
    assert figure(bench.metrics.registry, "slipway_agent_ship_failures_total") == 1


def test_an_empty_segment_asks_nothing_of_the_table(bench: Bench) -> None:
    bench.seal(1)
    bench.shipper.step()
    assert bench.table.batches == []
    assert left(bench.folder) == []


def test_trouble_that_nobody_thought_of_is_counted_and_does_not_end_the_shipping(tmp_path: Path) -> None:
    metrics = AgentMetrics()
    shipper = Shipper(BrokenSegments(tmp_path), MemoryPredictionTable(), metrics)
    assert not shipper.step()
    assert figure(metrics.registry, "slipway_agent_ship_failures_total") == 1


def test_a_backlog_shares_transactions_and_each_segment_is_alone_after_a_failure(bench: Bench) -> None:
    for number in (1, 2, 3):
        bench.seal(number, f"p-{number}")
    bench.shipper.step()
    assert bench.table.batches == [["p-1", "p-2", "p-3"]]
    bench.seal(4, "p-4")
    bench.table.unreachable = True
    bench.shipper.step()
    bench.table.unreachable = False
    bench.seal(5, "p-5")
    bench.shipper.step()
    bench.seal(6, "p-6")
    bench.seal(7, "p-7")
    bench.shipper.step()
    assert bench.table.batches[1:] == [["p-4"], ["p-5"], ["p-6", "p-7"]]
    assert left(bench.folder) == []


def test_a_transaction_has_no_more_segments_than_are_one_full_one_together(bench: Bench) -> None:
    half = b"".join(map(frame, payloads("p-1"))) + b"\0" * (
        BATCH_BYTES // 2
    )  # a disk may keep a length and no bytes
    for number in (1, 2, 3):
        bench.seal(number, "p-1", content=half)
    bench.shipper.step()
    assert [len(batch) for batch in bench.table.batches] == [2, 1]


def test_working_off_a_backlog_is_no_stuck_step(tmp_path: Path) -> None:
    clock = FakeClock()
    pulse, stuck = Pulse(clock=clock), []

    class Slow(MemoryPredictionTable):
        """Each transaction takes most of what a step may."""

        def insert(self, records: Sequence[PredictionRecord]) -> int:
            clock.advance(STEP_SECONDS * 0.6)
            stuck.extend(pulse.stuck())
            return super().insert(records)

    table = PulsingTable(Slow(), lambda: pulse.beat("ship"))
    for _ in range(3):
        table.insert([made_record()])
    assert stuck == []
    clock.advance(STEP_SECONDS)
    assert pulse.stuck() == ["ship"]
