"""A start on what a power loss left: the real folder, the real shipper, a real SQLite table."""

from __future__ import annotations

import shutil
from pathlib import Path

from sqlalchemy import text

from records.engine import open_engine
from serving.agent.metrics import AgentMetrics
from serving.agent.prediction_table import SqlPredictionTable
from serving.agent.segments import SegmentFolder
from serving.agent.shipper import Shipper
from serving.spool import CORRUPT, NEW
from tests.durability.power_loss import Disk
from tests.prediction_records import made_record


class Recovery:
    """May be asked again and again; an answer that was found once is remembered."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self._folder, self._engine = folder, open_engine(database_url)
        self._table, self._metrics = SqlPredictionTable(self._engine), AgentMetrics()
        self._known: dict[tuple[frozenset[tuple[str, bytes]], frozenset[str]], list[str]] = {}
        self.starts = 0

    def close(self) -> None:
        self._engine.dispose()

    def rows(self, disk: Disk, committed: set[str]) -> list[str]:
        """The predictions in SQL after a start with this disk and these in SQL already."""
        there = frozenset(name for name in committed if any(name.encode() in held for held in disk.values()))
        key = frozenset(disk.items()), there
        if (found := self._known.get(key)) is None:
            found = self._known[key] = self._start(disk, there)
        return found

    def _start(self, disk: Disk, committed: frozenset[str]) -> list[str]:
        self.starts += 1
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir()
        for name, content in disk.items():
            (self._folder / name).write_bytes(content)
        if committed:
            self._table.insert([made_record(name) for name in committed])
        assert Shipper(SegmentFolder(self._folder), self._table, self._metrics).step()
        left = [path.name for path in self._folder.iterdir() if path.suffix not in (NEW, CORRUPT)]
        assert left == [], "a start must leave nothing to ship"
        with self._engine.begin() as connection:
            rows = [str(row[0]) for row in connection.execute(text("SELECT prediction_id FROM predictions"))]
            connection.execute(text("DELETE FROM predictions"))
        return rows
