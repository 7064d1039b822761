"""Following challengers: the same checks as production's, no substitute, and never in production's way."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from catalog.iris.definition import DEFINITION as IRIS
from serving.agent.challenger_sync import ChallengerSync
from serving.agent.choice import PinnedChoice
from serving.agent.folder_locks import FolderLocks
from serving.agent.metrics import AgentMetrics
from serving.agent.proven_versions import ProvenVersions
from serving.agent.sync import RegistrySync
from serving.model_store import ModelStore, Pointer
from tests.fakes.prover import LocalProver
from tests.fakes.registry import MemoryRegistry
from tests.tiny_servables import write_tiny

NAME, MODELS = IRIS.registry_name, {IRIS.name: IRIS}


class Scene:
    """A registry, and two syncs over one store."""

    def __init__(self, folder: Path, pins: Mapping[str, str] | None = None) -> None:
        self.folder, self.registry, metrics = folder, MemoryRegistry(), AgentMetrics()
        self.production = ModelStore(folder / "store", "production")
        self.challenger = ModelStore(folder / "store", "challenger")
        choice = PinnedChoice(self.registry, pins, only_approved=False, withdrawn=False) if pins else None
        self.syncs = [
            RegistrySync(self._versions(self.production), MODELS, metrics),
            ChallengerSync(self._versions(self.challenger), MODELS, metrics, choice=choice),
        ]

    def _versions(self, store: ModelStore) -> ProvenVersions:
        return ProvenVersions(self.registry, store, LocalProver(MODELS))

    def register(self, version: str, *, withdrawn: bool = False, **contract: Any) -> str:
        source = self.folder / "sources" / version
        digest = write_tiny(IRIS, source, bias=float(version), **contract)
        self.registry.register(NAME, version, source, digest, withdrawn=withdrawn)
        return digest

    def step(self, **aliases: str) -> Pointer | None:
        """Where the challenger's pointer is after both have looked."""
        for alias, version in aliases.items():
            self.registry.point(NAME, alias, version)
        for sync in self.syncs:
            sync.step()
        return self.challenger.read_pointer(IRIS.name)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    made = Scene(tmp_path)
    for version in "1234567":
        made.register(version)
    return made


def test_the_second_alias_is_followed_into_the_same_store(scene: Scene) -> None:
    pointer = scene.step(production="1", challenger="2")
    assert pointer is not None
    assert (pointer.version, pointer.desired, pointer.reason) == ("2", "2", "")
    assert scene.production.versions(IRIS.name) == ["1", "2"]


def test_an_alias_that_was_taken_away_takes_its_pointer_along(scene: Scene) -> None:
    scene.step(production="1", challenger="2")
    del scene.registry.aliases[NAME, "challenger"]
    assert scene.step() is None
    assert scene.production.read_pointer(IRIS.name) is not None


def test_a_registry_that_is_down_takes_no_challenger_away(scene: Scene) -> None:
    before = scene.step(production="1", challenger="2")
    scene.registry.down = True
    assert scene.step() == before


def test_nothing_stands_in_for_a_challenger_that_does_not_fit(scene: Scene) -> None:
    scene.registry.approve(NAME, "3")
    scene.register("8", schema_digest="of another image")
    pointer = scene.step(production="1", challenger="8")
    assert pointer is not None
    assert (pointer.version, pointer.desired) == ("", "8")
    assert "request schema" in pointer.reason


def test_the_store_keeps_the_versions_of_both_aliases(scene: Scene) -> None:
    scene.step(challenger="1")
    for version in "234567":
        scene.step(production=version)
    assert scene.production.versions(IRIS.name) == ["1", "5", "6", "7"]


def test_promotion_downloads_nothing(scene: Scene) -> None:
    scene.step(production="1", challenger="2")
    scene.step(production="2")
    assert scene.registry.downloads == ["1", "2"]


def test_a_pinned_challenger_needs_no_approval_and_must_not_be_withdrawn(tmp_path: Path) -> None:
    scene = Scene(tmp_path, pins={IRIS.name: "2"})
    scene.register("1")
    scene.register("2")
    pointer = scene.step(production="1")
    assert pointer is not None
    assert pointer.version == "2"
    scene.register("2", withdrawn=True)
    pointer = scene.step()
    assert pointer is not None
    assert (pointer.version, pointer.reason) == ("", "version 2 refused: it was withdrawn")


def test_one_at_a_time_fetches_a_version(tmp_path: Path) -> None:
    locks = FolderLocks()
    with locks.of(tmp_path / "1"):
        assert locks.of(tmp_path / "2").acquire(blocking=False)
        found: list[bool] = []
        thread = threading.Thread(
            target=lambda: found.append(locks.of(tmp_path / "1").acquire(blocking=False))
        )
        thread.start()
        thread.join()
        assert found == [False]
