"""PredictionTable: the shipper's target behaves alike in memory, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from records.engine import open_engine
from serving.agent.metrics import AgentMetrics
from serving.agent.prediction_table import SqlPredictionTable
from serving.agent.segments import SegmentFolder
from serving.agent.shipper import LogUnreachable, PredictionTable, RecordsRefused, Shipper
from serving.spool import CORRUPT, SEALED, frame
from tests.fakes.prediction_table import MemoryPredictionTable
from tests.prediction_records import encode_record, figure, made_record, payloads

NEVER = 1e300  # seconds since 1970


class Table:
    """A table and how many rows it holds."""

    def __init__(self, url: str) -> None:
        self.engine = open_engine(url) if url else None
        self.memory = MemoryPredictionTable()
        self.port: PredictionTable = SqlPredictionTable(self.engine) if self.engine else self.memory

    def ids(self) -> list[str]:
        if self.engine is None:
            return sorted(self.memory.rows)
        with self.engine.connect() as connection:
            rows = connection.execute(text("SELECT prediction_id FROM predictions ORDER BY prediction_id"))
            return [row[0] for row in rows]


@pytest.fixture(params=["", "sqlite_url", "migrated_postgres_url"], ids=["memory", "sqlite", "postgresql"])
def table(request: pytest.FixtureRequest) -> Iterator[Table]:
    made = Table(request.getfixturevalue(request.param) if request.param else "")
    yield made
    if made.engine is not None:
        made.engine.dispose()


def test_new_records_are_counted_and_kept(table: Table) -> None:
    assert table.port.insert([made_record("p-1"), made_record("p-2")]) == 2
    assert table.ids() == ["p-1", "p-2"]


def test_a_record_that_is_there_already_is_left_alone(table: Table) -> None:
    table.port.insert([made_record("p-1")])
    assert table.port.insert([made_record("p-1"), made_record("p-2")]) == 1
    assert table.port.insert([made_record("p-1"), made_record("p-2")]) == 0
    assert table.ids() == ["p-1", "p-2"]


def test_more_records_than_one_statement_takes_are_one_call(table: Table) -> None:
    records = [made_record(f"p-{number:05d}") for number in range(2500)]
    assert table.port.insert(records) == 2500
    assert len(table.ids()) == 2500


def test_a_shipper_brings_a_spool_into_it_exactly_once(table: Table, tmp_path: Path) -> None:
    folder = tmp_path / "spool"
    folder.mkdir()
    content = b"".join(map(frame, payloads("p-1", "p-2")))
    for number in (1, 2):  # the second as after a crash between commit and delete
        (folder / f"w-{number}-2{SEALED}").write_bytes(content)
    assert Shipper(SegmentFolder(folder), table.port, AgentMetrics()).step()
    assert table.ids() == ["p-1", "p-2"]
    assert list(folder.iterdir()) == []


def test_records_of_which_one_is_refused_for_what_it_is_are_not_there(table: Table) -> None:
    with pytest.raises(RecordsRefused):
        table.port.insert([made_record("p-1"), made_record("p-2", created_at=NEVER)])
    assert table.ids() == []


def test_a_record_that_is_refused_is_kept_for_a_person_and_holds_up_no_other(
    table: Table, tmp_path: Path
) -> None:
    folder, metrics = tmp_path / "spool", AgentMetrics()
    folder.mkdir()
    sealed = {"1": ("p-1", "p-2", "p-3"), "2": ("p-4",), "3": ("p-5", "p-6")}
    for number, ids in sealed.items():
        records = [made_record(name, created_at=NEVER if name == "p-2" else 1.8e9) for name in ids]
        content = b"".join(frame(encode_record(record)) for record in records)
        (folder / f"w-{number}-{len(ids)}{SEALED}").write_bytes(content)
    shipper = Shipper(SegmentFolder(folder), table.port, metrics)
    assert shipper.step()
    assert table.ids() == ["p-1", "p-3", "p-4", "p-5", "p-6"]
    assert [path.name for path in folder.iterdir()] == [f"w-1-3{CORRUPT}"]
    assert figure(metrics.registry, "slipway_agent_records_total", result="refused") == 1
    assert figure(metrics.registry, "slipway_agent_records_total", result="committed") == 5
    assert figure(metrics.registry, "slipway_agent_segments_set_aside") == 1


def test_a_database_without_its_schema_is_unreachable_and_not_an_end(empty_database_url: str) -> None:
    engine = open_engine(empty_database_url)
    with pytest.raises(LogUnreachable):
        SqlPredictionTable(engine).insert([made_record()])
    engine.dispose()


def test_a_database_that_is_not_there_is_unreachable() -> None:
    engine = open_engine("postgresql://nobody:hunter2@127.0.0.1:9/none")
    with pytest.raises(LogUnreachable) as caught:
        SqlPredictionTable(engine).insert([made_record()])
    assert "hunter2" not in str(caught.value)
    engine.dispose()
