"""The worker's challengers: loaded beside production, shown, let go, and never a reason not to be ready."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from auth.principal import Principal
from catalog.iris.definition import DEFINITION as IRIS
from modelkit.errors import ModelNotFound, ModelNotReady, VersionNotLoaded
from modelkit.servable import MODEL
from serving.challengers import ChallengerSource, PathChallengers, StoredChallengers
from serving.following import Follower, Sources
from serving.following_challengers import ChallengerFollower
from serving.metrics import Metrics
from serving.model_board import Challenger, ModelBoard, State
from serving.model_path import ModelPath
from serving.model_store import ModelStore, Pointer
from serving.predictor import Asking
from serving.routing import Routing
from serving.splitting import Split
from tests.prediction_records import figure
from tests.tiny_servables import write_tiny
from tests.unreadable import unreadable

NAME = IRIS.name
CALLERS = [f"caller-{number}" for number in range(400)]


def asking(subject: str, key: str = "") -> Asking:
    principal = Principal(
        subject=subject, issuer="own", scopes=frozenset(), expires_at=0.0, user_id=None, token_id="t-1"
    )
    return Asking("r-1", principal, 0.0, 1.0, split_key=key)


class Scene:
    """A worker's board, with production and challenger followed from one store."""

    def __init__(self, folder: Path, *, weight: float = 0.3, source: ChallengerSource | None = None) -> None:
        self.registry = CollectorRegistry()
        self.metrics = Metrics(self.registry)
        self.board = ModelBoard({NAME: IRIS}, self.metrics)
        self.stores = {alias: ModelStore(folder, alias) for alias in ("production", "challenger")}
        self.production = Follower(
            self.board, self.metrics, sources=Sources(self.stores["production"], None, {})
        )
        self.challengers = ChallengerFollower(
            self.board,
            source or StoredChallengers(self.stores["challenger"]),
            self.metrics,
            splits={NAME: Split(NAME, weight)},
        )
        self.routing = Routing(self.board, self.metrics.comparison)

    def point(self, alias: str, version: str, **contract: Any) -> None:
        store = self.stores[alias]
        digest = write_tiny(IRIS, store.version_folder(NAME, version), bias=float(version), **contract)
        store.write_pointer(NAME, Pointer(version=version, digest=digest, desired=version))

    def look(self) -> Challenger:
        asyncio.run(self.production.step())
        asyncio.run(self.challengers.step())
        challenger = self.board.slots[NAME].challenger
        assert challenger is not None
        return challenger

    def answering(self) -> dict[str, str]:
        """The version that answers each caller."""
        return {caller: self.routing.model_for(NAME, asking(caller)).version for caller in CALLERS}

    def figure(self, name: str, **labels: str) -> float:
        self.metrics.fold()
        return figure(self.registry, f"slipway_{name}", model=NAME, **labels)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    made = Scene(tmp_path)
    made.point("production", "1")
    return made


def test_a_share_of_callers_is_answered_by_the_challenger(scene: Scene) -> None:
    scene.point("challenger", "2")
    assert scene.look().state is State.READY
    answered = scene.answering()
    chosen = Split(NAME, 0.3)
    assert answered == {caller: "2" if chosen.takes(caller) else "1" for caller in CALLERS}
    by_the_challenger = list(answered.values()).count("2")
    assert scene.figure("ab_requests_total", version="2", arm="challenger") == by_the_challenger
    assert scene.figure("ab_requests_total", version="1", arm="production") == 400 - by_the_challenger
    assert scene.figure("challenger_info", version="2") == 1


def test_two_replicas_and_a_restart_answer_a_caller_alike(scene: Scene, tmp_path: Path) -> None:
    scene.point("challenger", "2")
    scene.look()
    other = Scene(tmp_path)
    other.look()
    assert other.answering() == scene.answering()


def test_a_key_goes_before_the_caller(scene: Scene) -> None:
    scene.point("challenger", "2")
    scene.look()
    versions = {scene.routing.model_for(NAME, asking(caller, "one key")).version for caller in CALLERS}
    assert len(versions) == 1


def test_production_answers_for_a_challenger_that_is_not_there(scene: Scene) -> None:
    challenger = scene.look()
    assert (challenger.state, challenger.reason) == (State.WAITING, "no version is the challenger")
    assert set(scene.answering().values()) == {"1"}
    assert scene.figure("challenger_missing_total") == sum(map(Split(NAME, 0.3).takes, CALLERS))


def test_a_challenger_that_cannot_be_loaded_is_shown_and_touches_nothing(scene: Scene) -> None:
    scene.point("challenger", "2")
    (scene.stores["challenger"].version_folder(NAME, "2") / MODEL).write_bytes(b"damaged")
    challenger = scene.look()
    assert (challenger.state, challenger.desired, challenger.model) == (State.FAILED, "2", None)
    assert "differs from its digest" in challenger.reason
    assert scene.board.unready() == {}
    assert scene.board.slots[NAME].state is State.READY
    assert set(scene.answering().values()) == {"1"}


def test_a_refusal_of_the_agents_is_shown(scene: Scene) -> None:
    refusal = Pointer(version="", digest="", desired="9", reason="version 9 refused: it does not fit")
    scene.stores["challenger"].write_pointer(NAME, refusal)
    challenger = scene.look()
    assert (challenger.state, challenger.desired, challenger.reason) == (State.FAILED, "9", refusal.reason)


def test_a_challenger_that_is_taken_away_is_let_go(scene: Scene) -> None:
    scene.point("challenger", "2")
    scene.look()
    scene.stores["challenger"].forget_pointer(NAME)
    assert scene.look().model is None
    assert set(scene.answering().values()) == {"1"}
    assert scene.figure("challenger_info", version="2") == 0


def test_a_challenger_whose_pointer_cannot_be_read_comes_back(scene: Scene) -> None:
    scene.point("challenger", "2")
    with unreadable(scene.stores["challenger"].pointer_path(NAME)):
        challenger = scene.look()
        assert (challenger.state, challenger.model) == (State.FAILED, None)
        assert "pointer cannot be read" in challenger.reason
    scene.challengers._retries[NAME] = 0.0  # the pause is over
    model = scene.look().model
    assert model is not None
    assert model.version == "2"


def test_a_challenger_that_becomes_production_is_not_loaded_again(scene: Scene) -> None:
    scene.point("challenger", "2")
    challenger = scene.look().model
    scene.point("production", "2")
    scene.look()
    assert scene.board.current(NAME) is challenger
    assert scene.figure("model_load_duration_seconds_count") == 1  # version 1
    assert set(scene.answering().values()) == {"2"}
    assert scene.figure("ab_requests_total", version="2", arm="challenger") == 0


def test_production_that_becomes_challenger_is_not_loaded_again(scene: Scene) -> None:
    scene.look()
    current = scene.board.current(NAME)
    scene.point("challenger", "1")
    assert scene.look().model is current


def test_a_version_may_be_named_whoever_is_asked(scene: Scene) -> None:
    scene.point("challenger", "2")
    scene.look()
    assert scene.routing.model_for(NAME, asking("ada"), "2").version == "2"
    assert scene.routing.model_for(NAME, asking("ada"), "1").version == "1"
    with pytest.raises(VersionNotLoaded):
        scene.routing.model_for(NAME, asking("ada"), "3")


def test_without_production_the_challenger_answers_nobody(tmp_path: Path) -> None:
    scene = Scene(tmp_path, weight=1.0)
    scene.point("challenger", "2")
    scene.look()
    with pytest.raises(ModelNotReady):
        scene.routing.model_for(NAME, asking("ada"))
    with pytest.raises(ModelNotFound):
        scene.routing.model_for("toaster", asking("ada"))


def test_a_folder_may_hold_the_challengers(tmp_path: Path) -> None:
    scene = Scene(tmp_path / "store", source=PathChallengers(ModelPath(tmp_path / "path")))
    assert scene.look().state is State.WAITING
    digest = write_tiny(IRIS, tmp_path / "path" / NAME, bias=2.0)
    challenger = scene.look()
    assert challenger.model is not None
    assert challenger.model.version == digest.removeprefix("sha256:")[:12]
