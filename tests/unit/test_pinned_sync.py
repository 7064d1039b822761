"""Pinned versions: exactly what Git names is fetched; what cannot serve is shown beside what does instead."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from catalog.iris.definition import DEFINITION as IRIS
from serving.agent.choice import PinnedChoice
from serving.agent.metrics import AgentMetrics
from serving.agent.proven_versions import ProvenVersions
from serving.agent.sync import RegistrySync
from serving.model_store import ModelStore, Pointer
from tests.fakes.prover import LocalProver
from tests.fakes.registry import MemoryRegistry
from tests.tiny_servables import write_tiny

NAME = IRIS.registry_name


class Scene:
    """A registry of three versions, of which the third is not approved and the alias names the first."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.registry = folder, MemoryRegistry()
        self.store = ModelStore(folder / "store", "pinned")
        for version in ("1", "2", "3"):
            self.register(version, approved=version != "3")
        self.registry.point(NAME, "production", "1")

    def register(self, version: str, *, approved: bool = True, **contract: Any) -> None:
        source = self.folder / "sources" / version
        self.registry.register(NAME, version, source, write_tiny(IRIS, source, **contract))
        if approved:
            self.registry.approve(NAME, version)

    def pin(self, version: str, *, only_approved: bool = True) -> Pointer | None:
        choice = PinnedChoice(self.registry, {IRIS.name: version}, only_approved=only_approved)
        self.sync = RegistrySync(
            ProvenVersions(self.registry, self.store, LocalProver({IRIS.name: IRIS})),
            {IRIS.name: IRIS},
            AgentMetrics(),
            choice=choice,
        )
        self.sync.step()
        return self.store.read_pointer(IRIS.name)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_the_pinned_version_is_served_whatever_the_alias_names(scene: Scene) -> None:
    pointer = scene.pin("2")
    assert pointer is not None
    assert (pointer.version, pointer.desired, pointer.reason) == ("2", "2", "")
    assert scene.registry.downloads == ["2"]
    assert scene.sync.troubles == {IRIS.name: ""}


def test_another_pin_is_followed_and_the_way_back_needs_no_download(scene: Scene) -> None:
    pointers = [scene.pin(version) for version in ("2", "1", "2")]
    assert [pointer and pointer.version for pointer in pointers] == ["2", "1", "2"]
    assert scene.registry.downloads == ["2", "1"]


@pytest.mark.parametrize(
    ("pin", "reason"), [("3", "it is not approved"), ("9", "the registry does not have it")]
)
def test_a_pin_that_must_not_serve_leaves_it_to_the_newest_approved_version_and_says_why(
    scene: Scene, pin: str, reason: str
) -> None:
    pointer = scene.pin(pin)
    assert pointer is not None
    assert (pointer.version, pointer.desired) == ("2", pin)
    assert pointer.reason == f"version {pin} refused: {reason}" == scene.sync.troubles[IRIS.name]
    assert scene.registry.downloads == ["2"]


def test_in_development_a_pin_need_not_be_approved(scene: Scene) -> None:
    pointer = scene.pin("3", only_approved=False)
    assert pointer is not None
    assert (pointer.version, pointer.desired) == ("3", "3")


def test_a_pin_that_does_not_fit_leaves_it_to_the_newest_approved_version_that_does(scene: Scene) -> None:
    scene.register("4", schema_digest="of another image")
    scene.register("5", units="hours")
    pointer = scene.pin("4")
    assert pointer is not None
    assert (pointer.version, pointer.desired) == ("2", "4")
    assert "request schema" in pointer.reason


def test_where_nothing_fits_the_store_stays_empty_with_a_reason(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.registry.versions.clear()
    assert scene.pin("1") is None
    assert scene.sync.troubles[IRIS.name].endswith("does not have it, and no approved version fits")


def test_a_registry_that_is_away_is_a_trouble_and_keeps_the_pointer(scene: Scene) -> None:
    before = scene.pin("2")
    scene.registry.down = True
    assert scene.pin("1") == before
    assert "registry does not answer" in scene.sync.troubles[IRIS.name]
