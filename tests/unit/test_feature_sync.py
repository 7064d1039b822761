"""The agent compiles what is materialised into a snapshot, refuses what does not fit, and leaves what serves alone."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from pydantic import Field

from modelkit.definition import FeatureView
from modelkit.view_rows import ViewRows
from serving.adapters.snapshot_features import Snapshot, open_snapshot
from serving.agent import snapshot_writer
from serving.agent.features import FeatureSync
from serving.agent.metrics import AgentMetrics
from serving.feature_snapshot import CorruptSnapshot, SnapshotStore
from tests.prediction_records import figure
from tests.tiny_features import KeyedRows, MemoryOrigin
from tests.view_catalog.shopper.definition import DEFINITION as SHOPPER
from tests.view_catalog.shopper.definition import Habits

assert SHOPPER.view is not None
VIEW = SHOPPER.view
ADA: KeyedRows = {"ada": [1.0, 2.0, 3.0]}


class Scene:
    """One view, one origin, one agent."""

    def __init__(self, root: Path, rows: KeyedRows, view: FeatureView = VIEW) -> None:
        self.origin, self.store, self.view = MemoryOrigin({view.name: rows}), SnapshotStore(root), view
        self.restart()

    def restart(self) -> None:
        self.metrics = AgentMetrics()
        self.sync = FeatureSync(self.origin, self.store, {self.view.name: self.view}, self.metrics)

    def put(self, rows: KeyedRows) -> None:
        self.origin.put(self.view.name, rows)
        self.sync.step()

    def served(self) -> Snapshot:
        pointer = self.store.read_pointer(self.view.name)
        assert pointer is not None
        path = self.store.folder(self.view.name) / pointer.file
        return open_snapshot(path, ViewRows(self.view), digest=pointer.digest)

    def looks(self, result: str) -> float:
        labels = {"view": self.view.name, "result": result}
        return figure(self.metrics.registry, "slipway_feature_polls_total", **labels)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    made = Scene(tmp_path, ADA)
    made.sync.step()
    return made


def test_every_entity_of_a_large_set_is_found_and_no_other(tmp_path: Path) -> None:
    rows = {f"user-{number}": [float(number), float(number % 7), 0.5] for number in range(5_000)}
    scene = Scene(tmp_path, rows)
    scene.sync.step()
    served = scene.served()
    assert all(served.get(key) == row for key, row in rows.items())
    assert [key for key in ("", "user-5000", "user-", "user-01", "é", "\ud800") if served.get(key)] == []
    assert served.meta.rows == 5_000


def test_a_snapshot_larger_than_one_block_is_whole(tmp_path: Path) -> None:
    count = snapshot_writer.ROWS_PER_WRITE + 10
    writer = snapshot_writer.SnapshotWriter(ViewRows(VIEW), tmp_path)
    for start in range(0, count, 20_000):
        keys = [str(number) for number in range(start, min(start + 20_000, count))]
        writer.add(keys, np.array([[float(key), 1.0, np.nan] for key in keys]))
    path, digest, meta = writer.finish(written_at=0.0)
    snapshot = open_snapshot(path, ViewRows(VIEW), digest=digest)
    assert meta.rows == count
    assert [snapshot.get(str(number))[0] for number in range(0, count, 997)] == list(range(0, count, 997))  # type: ignore[index]
    writer.close()
    assert list(tmp_path.iterdir()) == []


def test_a_set_that_did_not_change_is_not_read_again(scene: Scene) -> None:
    scene.sync.step()
    scene.restart()
    scene.sync.step()
    assert scene.origin.reads == 1
    assert scene.looks("ok") == 1


def test_a_new_set_replaces_the_old_one_and_entities_that_are_gone_are_gone(scene: Scene) -> None:
    before = scene.served()
    scene.put({"bob": [4.0, 5.0, 6.0]})
    assert scene.served().get("bob") == [4.0, 5.0, 6.0]
    assert scene.served().get("ada") is None
    assert before.get("ada") == [1.0, 2.0, 3.0], "a request in flight holds the old one"


def test_only_the_served_snapshot_and_the_one_before_it_stay_on_disk(scene: Scene) -> None:
    for number in range(4):
        scene.put({"ada": [float(number), 2.0, 3.0]})
    assert len(list(scene.store.folder(VIEW.name).glob("*"))) == 3  # and the pointer
    assert scene.served().get("ada") == [3.0, 2.0, 3.0]


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param({}, id="no rows"),
        pytest.param({"ada": [-1.0, 2.0, 3.0]}, id="out of bounds"),
        pytest.param({"ada": [1.0, 2.5, 3.0]}, id="not whole"),
        pytest.param({"ada": [np.nan, 2.0, 3.0]}, id="missing"),
    ],
)
def test_a_set_that_does_not_fit_is_refused_once_and_the_old_snapshot_stays(
    scene: Scene, bad: KeyedRows
) -> None:
    scene.put(bad)
    scene.sync.step()
    assert scene.served().get("ada") == [1.0, 2.0, 3.0]
    assert scene.looks("refused") == 2
    assert scene.origin.reads == 2
    scene.put({"bob": [4.0, 5.0, 6.0]})
    assert scene.served().get("bob") is not None


def test_a_set_without_the_row_for_unknown_entities_is_refused(tmp_path: Path) -> None:
    scene = Scene(tmp_path, ADA, dataclasses.replace(VIEW, default_key="*"))
    scene.sync.step()
    assert scene.store.read_pointer(VIEW.name) is None
    scene.put({**ADA, "*": [0.0, 0.0, 0.0]})
    assert scene.served().get("*") == [0.0, 0.0, 0.0]


def test_a_key_that_comes_twice_is_refused(tmp_path: Path) -> None:
    writer = snapshot_writer.SnapshotWriter(ViewRows(VIEW), tmp_path)
    for _ in range(2):
        writer.add(["ada"], np.array([[1.0, 2.0, 3.0]]))
    with pytest.raises(snapshot_writer.FeaturesRefused, match="same key"):
        writer.finish(written_at=0.0)
    writer.close()


def test_after_an_upgrade_to_another_schema_the_same_set_is_proven_anew(scene: Scene) -> None:
    class Narrower(Habits):
        """The same columns, another bound."""

        spent: float = Field(ge=0, le=10)

    scene.view = dataclasses.replace(VIEW, row=Narrower)
    scene.restart()
    scene.sync.step()
    assert scene.origin.reads == 2
    assert scene.served().meta.digest == ViewRows(scene.view).digest


def test_a_snapshot_that_was_damaged_on_disk_is_compiled_again_after_a_restart(scene: Scene) -> None:
    pointer = scene.store.read_pointer(VIEW.name)
    assert pointer is not None
    path = scene.store.folder(VIEW.name) / pointer.file
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    scene.restart()
    scene.sync.step()
    assert scene.served().get("ada") == [1.0, 2.0, 3.0]


def test_no_bit_of_a_snapshot_can_flip_unnoticed(scene: Scene) -> None:
    pointer = scene.store.read_pointer(VIEW.name)
    assert pointer is not None
    path = scene.store.folder(VIEW.name) / pointer.file
    content = path.read_bytes()
    for place in range(0, len(content), 3):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        with pytest.raises(CorruptSnapshot):
            open_snapshot(path, ViewRows(VIEW), digest=pointer.digest)
    for size in (0, 7, 40, len(content) - 8):
        path.write_bytes(content[:size])
        with pytest.raises(CorruptSnapshot):
            open_snapshot(path, ViewRows(VIEW), digest=pointer.digest)


def test_a_source_with_nothing_in_it_is_asked_again(tmp_path: Path) -> None:
    scene = Scene(tmp_path, ADA)
    scene.origin.sets.clear()
    scene.sync.step()
    assert scene.looks("absent") == 1
    scene.put(ADA)
    assert scene.served().get("ada") is not None
