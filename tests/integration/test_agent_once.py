"""`python -m serving.agent --once`: an init container fills the store, or says which model is missing and why."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalog.iris.definition import DEFINITION as IRIS
from serving.agent.store_lock import StoreLock
from serving.feature_snapshot import SnapshotStore
from tests.agent_program import AgentProgram
from tests.tiny_servables import write_tiny
from tests.tiny_versions import TinyVersions

pytestmark = pytest.mark.filterwarnings("ignore")  # MLflow's own


def test_the_pinned_version_is_in_the_store_and_the_store_is_free(mlflow_uri: str, tmp_path: Path) -> None:
    versions = TinyVersions(IRIS, mlflow_uri, tmp_path)
    versions.make(approved=True)
    versions.make(approved=True)
    pins = tmp_path / "models.env"
    pins.write_text("# Git says what runs\niris=1\n")
    agent = AgentProgram(
        tmp_path, MLFLOW_TRACKING_URI=mlflow_uri, MODEL_SOURCE="pinned", MODEL_VERSIONS_FILE=str(pins)
    )
    left = agent.seal("p-1")
    done = agent.once(timeout_seconds=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert (agent.pointed("pinned"), agent.pointed("production")) == ("1", None)
    assert left.exists(), "it ships nothing"
    assert StoreLock(agent.store).take()


def test_what_cannot_be_had_is_said_model_by_model(mlflow_uri: str, tmp_path: Path) -> None:
    TinyVersions(IRIS, mlflow_uri, tmp_path).make(approved=False)
    agent = AgentProgram(
        tmp_path,
        MLFLOW_TRACKING_URI=mlflow_uri,
        MODELS="iris,food-delivery",
        MODEL_SOURCE="pinned",
        MODEL_VERSIONS="iris=1,food-delivery=3",
    )
    done = agent.once(timeout_seconds=12)
    assert done.returncode == 1
    assert sorted(done.stderr.splitlines()) == [
        "food-delivery: version 3 refused: the registry does not have it, and no approved version fits",
        "iris: version 1 refused: it is not approved, and no approved version fits",
    ]


def test_a_registry_that_is_away_is_no_obstacle_where_the_image_carries_a_copy(tmp_path: Path) -> None:
    write_tiny(IRIS, tmp_path / "baked" / "iris")
    agent = AgentProgram(tmp_path, MODELS="iris,food-delivery", MODEL_PATH=str(tmp_path / "baked"))
    done = agent.once(timeout_seconds=8)
    assert done.returncode == 1
    lines = dict(line.split(": ", 1) for line in done.stderr.splitlines())
    assert lines["iris"].endswith("; the copy of MODEL_PATH will serve")
    assert "the registry does not answer" in lines["food-delivery"]
    assert "MODEL_PATH" not in lines["food-delivery"]


def test_features_belong_to_what_has_to_be_there(tmp_path: Path) -> None:
    agent = AgentProgram(
        tmp_path,
        CATALOG="tests.view_catalog",
        MODELS="",
        MODEL_SOURCE="path",
        MODEL_PATH=str(tmp_path),
        FEATURES_URL=str(tmp_path / "online"),
    )
    done = agent.once(timeout_seconds=3)
    assert done.returncode == 1
    assert "features habits: FEATURES_URL holds none" in done.stderr.splitlines()
    assert SnapshotStore(agent.store).read_pointer("habits") is None


def test_while_another_agent_has_the_store_it_only_waits(tmp_path: Path) -> None:
    agent = AgentProgram(tmp_path)
    other = StoreLock(agent.store)
    assert other.take()
    done = agent.once(timeout_seconds=3)
    assert (done.returncode, done.stderr) == (1, "iris: not fetched in time\n")
    other.free()
