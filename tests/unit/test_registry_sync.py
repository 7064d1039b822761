"""Following the registry: fetch what the alias names, prove it, move the pointer; never break what is served."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import pytest

from catalog.iris.definition import DEFINITION as IRIS
from modelkit.servable import CONTRACT, MANIFEST, MODEL, load_servable, write_servable
from serving.agent.sync import RegistrySync
from serving.model_store import Pointer
from serving.proof import TrialCutShort
from tests.registry_scene import NAME, Scene
from tests.tiny_servables import tiny_graph, write_tiny


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def version_of(pointer: Pointer | None) -> str | None:
    return None if pointer is None else pointer.version


def test_the_aliass_version_is_fetched_and_pointed_at(scene: Scene) -> None:
    digest = scene.register("1")
    assert scene.follow("1") == Pointer(version="1", digest=digest, desired="1")
    assert scene.polled("ok") == 1


def test_a_version_is_downloaded_once(scene: Scene) -> None:
    scene.register("1")
    scene.register("2")
    for version in ("1", "2", "1", "2", "2"):
        assert version_of(scene.follow(version)) == version
    scene.restart()
    scene.follow("1")
    assert scene.registry.downloads == ["1", "2"]


def test_an_alias_that_does_not_exist_changes_nothing(scene: Scene) -> None:
    assert scene.follow() is None
    assert scene.polled("ok") == 1


def test_the_newest_approved_version_that_fits_serves_while_the_desired_one_does_not(scene: Scene) -> None:
    for version in ("1", "2"):
        scene.register(version)
    scene.register("3", approved=False)
    scene.register("4", schema_digest="of another image")
    scene.register("5", schema_digest="of another image")
    pointer = scene.follow("5")
    assert pointer is not None
    assert (pointer.version, pointer.desired) == ("2", "5")
    assert "request schema" in pointer.reason
    assert "5" in pointer.reason


def test_the_reason_goes_when_the_desired_version_fits(scene: Scene) -> None:
    scene.register("1")
    scene.register("2", schema_digest="of another image")
    scene.follow("2")
    pointer = scene.follow("1")
    assert pointer is not None
    assert (pointer.version, pointer.desired, pointer.reason) == ("1", "1", "")


def test_a_refused_version_is_not_tried_again(scene: Scene) -> None:
    scene.register("1", units="hours")
    for _ in range(3):
        assert scene.follow("1") is None
    assert scene.registry.downloads == ["1"]
    assert scene.refused() == 1
    assert not scene.stored("1").exists()


def test_an_unreachable_registry_keeps_the_pointer(scene: Scene) -> None:
    scene.register("1")
    before = scene.follow("1")
    scene.registry.down = True
    assert scene.follow() == before
    assert scene.polled("error") == 1
    assert scene.stored("1").is_dir()


def test_a_registry_that_goes_away_during_the_download_keeps_the_pointer(scene: Scene) -> None:
    scene.register("1")
    before = scene.follow("1")
    scene.registry.folders[NAME, "2"] = scene.folder / "nowhere"
    scene.registry.versions[NAME, "2"] = dataclasses.replace(
        scene.registry.versions[NAME, "1"], version="2", digest="sha256:2"
    )
    assert scene.follow("2") == before
    assert scene.polled("store_error") == 1


def test_a_version_whose_files_differ_from_the_registered_digest_is_refused(scene: Scene) -> None:
    scene.register("1")
    scene.register("2")
    (scene.folder / "sources" / "2" / MODEL).write_bytes(b"another graph")
    scene.follow("1")
    pointer = scene.follow("2")
    assert pointer is not None
    assert (pointer.version, pointer.desired) == ("1", "2")


def test_a_version_with_another_manifest_than_registered_is_refused(scene: Scene) -> None:
    scene.register("1")
    write_tiny(IRIS, scene.folder / "sources" / "1", bias=99.0)
    assert scene.follow("1") is None


def test_a_version_registered_without_a_digest_is_refused_unfetched(scene: Scene) -> None:
    scene.register("1")
    known = scene.registry.versions[NAME, "1"]
    scene.registry.versions[NAME, "1"] = dataclasses.replace(known, digest="")
    assert scene.follow("1") is None
    assert scene.registry.downloads == []
    assert scene.refused("other") == 1


def test_golden_rows_that_give_other_answers_are_refused(scene: Scene) -> None:
    scene.register("1", golden_outputs=[[0.2, 0.3, 0.5]] * len(IRIS.examples))
    assert scene.follow("1") is None


def test_golden_rows_that_are_no_longer_requests_are_refused(scene: Scene) -> None:
    scene.register("1", golden_rows=[{"sepal_length": -1}])
    assert scene.follow("1") is None


def test_a_graph_that_cannot_take_the_features_is_refused(scene: Scene) -> None:
    scene.register("1")
    good = scene.folder / "sources" / "1"
    servable = load_servable(good, IRIS)
    broken = scene.folder / "sources" / "2"
    digest = write_servable(
        broken,
        graph=tiny_graph(IRIS, width=9),
        contract=servable.contract,
        reference=servable.reference,
        card=servable.card,
    )
    scene.registry.register(NAME, "2", broken, digest)
    pointer = scene.follow("2")
    assert pointer is not None
    assert (pointer.version, pointer.desired) == ("1", "2")


@pytest.mark.parametrize("content", [b"", b"not onnx", b"\x08\x0a"])
def test_a_graph_that_is_none_is_refused(scene: Scene, content: bytes) -> None:
    source = scene.folder / "sources" / "1"
    write_tiny(IRIS, source)
    servable = load_servable(source, IRIS)
    digest = write_servable(
        source,
        graph=content,
        contract=servable.contract,
        reference=servable.reference,
        card=servable.card,
    )
    scene.registry.register(NAME, "1", source, digest)
    assert scene.follow("1") is None
    assert scene.refused("corrupt") == 1


def test_the_store_keeps_the_three_newest_versions(scene: Scene) -> None:
    for version in range(1, 6):
        scene.register(str(version))
        scene.follow(str(version))
    assert scene.store.versions(IRIS.name) == ["3", "4", "5"]


def test_the_version_being_served_is_kept_however_old_it_is(scene: Scene) -> None:
    for version in range(1, 5):
        scene.register(str(version))
        scene.follow(str(version))
    pointer = scene.follow("1")
    assert version_of(pointer) == "1"
    assert scene.store.versions(IRIS.name) == ["1", "3", "4"]


@pytest.mark.parametrize("file", [MODEL, CONTRACT, MANIFEST])
@pytest.mark.parametrize("again", ["the same agent", "another agent"])
def test_a_version_that_was_damaged_in_the_store_is_fetched_again(
    scene: Scene, file: str, again: str
) -> None:
    scene.register("1")
    before = scene.follow("1")
    mark = scene.store.pointer_mark(IRIS.name)
    (scene.stored("1") / file).write_bytes(b"damaged")
    if again == "another agent":
        scene.restart()
    assert scene.follow() == before
    assert scene.registry.downloads == ["1", "1"]
    # Workers look again, because the pointer was written anew.
    assert scene.store.pointer_mark(IRIS.name) != mark
    assert scene.refused() == 0


def test_a_version_that_vanished_from_the_store_is_fetched_again(scene: Scene) -> None:
    scene.register("1")
    before = scene.follow("1")
    mark = scene.store.pointer_mark(IRIS.name)
    shutil.rmtree(scene.stored("1"))
    assert scene.follow() == before
    assert scene.registry.downloads == ["1", "1"]
    assert scene.store.pointer_mark(IRIS.name) != mark


def test_a_version_that_an_older_image_stored_and_this_one_cannot_serve_is_refused(scene: Scene) -> None:
    scene.register("1")
    digest = scene.register("2", schema_digest="of an older image")
    write_tiny(IRIS, scene.stored("2"), bias=2.0, schema_digest="of an older image")
    scene.store.write_pointer(IRIS.name, Pointer(version="2", digest=digest, desired="2"))
    pointer = scene.follow("2")
    assert pointer is not None
    assert (pointer.version, pointer.desired) == ("1", "2")


def test_a_trial_that_is_cut_short_says_nothing_of_a_version_that_was_proven_before(scene: Scene) -> None:
    scene.register("1")
    scene.register("2")
    scene.follow("1")
    before = scene.follow("2")
    scene.restart()
    scene.prover.falls = TrialCutShort("loading it ended the process (SIGKILL)")
    assert scene.follow() == before
    assert scene.stored("2").is_dir()
    assert (scene.polled("failed"), scene.refused("unloadable")) == (1, 0)
    scene.prover.falls = None
    assert scene.follow() == before
    assert scene.registry.downloads == ["1", "2"]


def test_a_new_version_whose_trial_is_cut_short_is_refused(scene: Scene) -> None:
    scene.register("1")
    scene.register("2")
    scene.follow("1")
    scene.prover.falls = TrialCutShort("it was not loaded within 60 s")
    assert version_of(scene.follow("2")) == "1"
    assert not scene.stored("2").exists()
    assert scene.refused("unloadable") == 1


def test_one_models_trouble_does_not_keep_the_others_from_being_followed(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.register("1")
    scene.registry.point(NAME, "production", "1")
    bad = dataclasses.replace(IRIS, name="../escape")
    sync = RegistrySync(scene.sync.versions, {"bad": bad, IRIS.name: IRIS}, scene.metrics)
    sync.step()
    assert version_of(scene.store.read_pointer(IRIS.name)) == "1"
    assert (scene.polled("failed"), scene.polled("ok")) == (1, 1)
