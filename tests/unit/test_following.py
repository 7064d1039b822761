"""The model board and its follower: what is served while versions come, go, fail and come back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from catalog.iris.definition import DEFINITION as IRIS
from modelkit.errors import ModelNotFound, ModelNotReady
from modelkit.servable import MANIFEST, MODEL
from serving.following import Follower, Sources
from serving.loaded_model import LoadedModel
from serving.metrics import Metrics
from serving.model_board import ModelBoard, Slot, State
from serving.model_path import ModelPath
from serving.model_store import ModelStore, Pointer
from tests.prediction_records import figure
from tests.tiny_servables import loaded_tiny, write_tiny
from tests.unreadable import unreadable

NAME = IRIS.name


class Scene:
    """A board that follows a store."""

    def __init__(
        self,
        folder: Path,
        *,
        baked: bool = False,
        store: bool = True,
        pins: Mapping[str, str] | None = None,
    ) -> None:
        self.registry = CollectorRegistry()
        self.metrics = Metrics(self.registry)
        self.board = ModelBoard({NAME: IRIS}, self.metrics)
        self.store = ModelStore(folder / "store", "production")
        self.baked = folder / "baked"
        self.follower = Follower(
            self.board,
            self.metrics,
            sources=Sources(
                self.store if store else None, ModelPath(self.baked) if baked else None, pins or {}
            ),
        )

    def put(self, version: str, **contract: str) -> str:
        return write_tiny(IRIS, self.store.version_folder(NAME, version), bias=float(version), **contract)

    def point(self, version: str, digest: str, *, desired: str = "", reason: str = "") -> None:
        pointer = Pointer(version=version, digest=digest, desired=desired or version, reason=reason)
        self.store.write_pointer(NAME, pointer)

    def look(self, times: int = 1) -> Slot:
        for _ in range(times):
            asyncio.run(self.follower.step())
        return self.board.slots[NAME]

    def figure(self, name: str, **labels: str) -> float:
        return figure(self.registry, f"slipway_{name}", model=NAME, **labels)

    @property
    def loads(self) -> float:
        return self.figure("model_load_duration_seconds_count")


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def current(slot: Slot) -> LoadedModel:
    assert slot.current is not None
    return slot.current


def test_an_empty_store_is_waited_for(scene: Scene) -> None:
    assert scene.look().state is State.WAITING
    assert scene.board.unready() == {NAME: "no version has been found yet"}
    with pytest.raises(ModelNotReady):
        scene.board.current(NAME)


def test_a_model_that_is_not_declared_is_not_found(scene: Scene) -> None:
    with pytest.raises(ModelNotFound):
        scene.board.current("toaster")


def test_the_pointers_version_is_loaded_and_served(scene: Scene) -> None:
    digest = scene.put("1")
    scene.point("1", digest)
    slot = scene.look()
    assert scene.board.current(NAME).version == "1"
    assert (slot.state, slot.desired, scene.board.unready()) == (State.READY, "1", {})
    assert scene.figure("model_info", version="1", digest=digest) == 1
    assert scene.figure("model_state", state="ready") == 1
    assert scene.figure("model_state", state="waiting") == 0


def test_a_pointer_that_did_not_move_costs_no_second_load(scene: Scene) -> None:
    scene.point("1", scene.put("1"))
    scene.look(3)
    assert scene.loads == 1


def test_a_moved_pointer_swaps_and_the_version_left_stays_warm(scene: Scene) -> None:
    digests = {version: scene.put(version) for version in ("1", "2")}
    scene.point("1", digests["1"])
    first = current(scene.look())
    scene.point("2", digests["2"])
    slot = scene.look()
    assert (current(slot).version, slot.previous) == ("2", first)
    assert scene.figure("model_info", version="1", digest=digests["1"]) == 0


def test_the_way_back_needs_no_load(scene: Scene) -> None:
    digests = {version: scene.put(version) for version in ("1", "2")}
    scene.point("1", digests["1"])
    first = current(scene.look())
    scene.point("2", digests["2"])
    second = current(scene.look())
    for _ in range(3):
        scene.point("1", digests["1"])
        assert current(scene.look()) is first
        scene.point("2", digests["2"])
        assert current(scene.look()) is second
    assert scene.loads == 2


def test_another_artifact_under_the_same_version_is_loaded(scene: Scene) -> None:
    scene.point("1", scene.put("1"))
    first = current(scene.look())
    other = write_tiny(IRIS, scene.store.version_folder(NAME, "1"), bias=7.0)
    scene.point("1", other)
    assert current(scene.look()).servable.digest == other != first.servable.digest


def test_a_version_that_cannot_be_loaded_leaves_the_old_one_serving(scene: Scene) -> None:
    scene.point("1", scene.put("1"))
    scene.look()
    digest = scene.put("2")
    (scene.store.version_folder(NAME, "2") / MODEL).write_bytes(b"damaged")
    scene.point("2", digest)
    slot = scene.look(3)
    assert scene.board.current(NAME).version == "1"
    assert (slot.state, slot.desired) == (State.FAILED, "2")
    assert "differs from its digest" in slot.reason
    assert scene.figure("model_load_failures_total") == 1
    assert scene.figure("model_version_skew") == 1
    assert scene.board.unready() == {}


def test_a_version_of_another_contract_is_not_served(scene: Scene) -> None:
    scene.point("1", scene.put("1", units="hours"))
    slot = scene.look()
    assert slot.current is None
    assert scene.board.unready() == {NAME: slot.reason}
    assert "units" in slot.reason


def test_a_version_whose_folder_is_missing_fails_and_recovers_when_it_is_pointed_at_again(
    scene: Scene,
) -> None:
    scene.point("1", "sha256:unknown")
    assert scene.look().state is State.FAILED
    scene.point("1", scene.put("1"))
    assert scene.look().state is State.READY


def test_skew_is_shown_while_another_version_than_the_desired_one_serves(scene: Scene) -> None:
    digests = {version: scene.put(version) for version in ("1", "2")}
    scene.point("1", digests["1"], desired="2", reason="version 2 refused")
    slot = scene.look()
    assert (slot.state, slot.desired, slot.reason) == (State.READY, "2", "version 2 refused")
    assert scene.figure("model_version_skew") == 1
    assert scene.figure("model_desired", version="2") == 1
    scene.point("2", digests["2"])
    scene.look()
    assert scene.figure("model_version_skew") == 0
    scene.point("1", digests["1"])
    scene.look()
    assert [scene.figure("model_desired", version=version) for version in "12"] == [1, 0]


def test_an_unreadable_pointer_changes_nothing(scene: Scene) -> None:
    scene.point("1", scene.put("1"))
    scene.look()
    scene.store.pointer_path(NAME).write_bytes(b"{")
    assert current(scene.look(2)).version == "1"


def test_a_move_that_could_not_be_read_at_first_is_followed(scene: Scene) -> None:
    scene.point("1", scene.put("1"))
    scene.look()
    scene.point("2", scene.put("2"))
    with unreadable(scene.store.pointer_path(NAME)):
        assert current(scene.look(2)).version == "1"
    assert current(scene.look()).version == "2"
    assert scene.loads == 2


def test_the_baked_copy_serves_where_it_is_the_only_source(tmp_path: Path) -> None:
    scene = Scene(tmp_path, baked=True, store=False)
    digest = write_tiny(IRIS, scene.baked / NAME)
    slot = scene.look()
    assert current(slot).version == digest.removeprefix("sha256:")[:12]
    assert not slot.stale
    scene.look(3)
    assert scene.loads == 1


def test_the_baked_copy_waits_for_the_store_first(tmp_path: Path) -> None:
    scene = Scene(tmp_path, baked=True)
    write_tiny(IRIS, scene.baked / NAME)
    assert scene.look().current is None
    scene.point("1", scene.put("1"))
    assert current(scene.look()).version == "1"


def test_the_baked_copy_stands_in_for_a_store_that_stays_empty_and_is_called_stale(tmp_path: Path) -> None:
    scene = Scene(tmp_path, baked=True)
    write_tiny(IRIS, scene.baked / NAME)
    scene.follower._started -= 60
    slot = scene.look()
    assert slot.current is not None
    assert slot.stale
    scene.point("1", scene.put("1"))
    slot = scene.look()
    assert (current(slot).version, slot.stale) == ("1", False)


def test_a_damaged_baked_copy_is_a_reason_and_not_the_end(tmp_path: Path) -> None:
    scene = Scene(tmp_path, baked=True, store=False)
    write_tiny(IRIS, scene.baked / NAME)
    (scene.baked / NAME / MANIFEST).unlink()
    slot = scene.look(2)
    assert slot.state is State.FAILED
    assert "manifest.json" in scene.board.unready()[NAME]


def test_swapping_a_version_for_itself_keeps_what_was_before(tmp_path: Path) -> None:
    board = ModelBoard({NAME: IRIS}, Metrics(CollectorRegistry()))
    first = loaded_tiny(IRIS, tmp_path / "1")
    second = loaded_tiny(IRIS, tmp_path / "2", version="2")
    for model in (first, second, second):
        board.swap(NAME, model, desired=model.version)
    assert board.slots[NAME].previous is first


def test_a_load_that_failed_for_a_passing_reason_is_tried_again(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    digest = scene.put("1")
    folder = scene.store.version_folder(NAME, "1")
    away = folder.rename(folder.with_name("away"))
    scene.point("1", digest)
    assert scene.look().state is State.FAILED
    away.rename(folder)
    deadline = time.monotonic() + 30
    while scene.look().current is None and time.monotonic() < deadline:
        time.sleep(0.1)
    assert scene.look().state is State.READY


def test_a_pointer_that_an_earlier_deployment_left_serves_and_shows_the_pin_that_is_wanted(
    tmp_path: Path,
) -> None:
    scene = Scene(tmp_path, pins={NAME: "2"})
    scene.point("1", scene.put("1"))
    slot = scene.look()
    assert (current(slot).version, slot.desired) == ("1", "2")
    assert "version 2 is not in the store" in slot.reason
    assert scene.figure("model_version_skew") == 1
    scene.point("2", scene.put("2"))
    slot = scene.look()
    assert (current(slot).version, slot.desired, slot.reason) == ("2", "2", "")
    assert scene.figure("model_version_skew") == 0


def test_the_baked_copy_serves_beside_a_pin_and_is_called_another_version(tmp_path: Path) -> None:
    scene = Scene(tmp_path, baked=True, pins={NAME: "2"})
    write_tiny(IRIS, scene.baked / NAME)
    scene.follower._started -= 60
    slot = scene.look()
    assert current(slot).version == current(slot).servable.digest.removeprefix("sha256:")[:12]
    assert (slot.desired, slot.stale) == ("2", True)
    assert scene.figure("model_version_skew") == 1


def test_one_servable_as_the_path_serves_the_one_model(tmp_path: Path) -> None:
    scene = Scene(tmp_path, baked=True, store=False)
    digest = write_tiny(IRIS, scene.baked / "servable")
    assert current(scene.look()).servable.digest == digest
