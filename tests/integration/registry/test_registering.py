"""Registering against a real MLflow registry and a real ledger, both on SQLite."""

from __future__ import annotations

from pathlib import Path

import mlflow
import pandas as pd
import pytest
from sqlalchemy import Engine

from modelkit.servable import load_servable
from records.ledger import history
from tests.iris_versions import (
    IRIS,
    MOVE,
    SOLVER,
    Register,
    Trained,
    promote_both,
)
from training import registration
from training.errors import NotRegistered
from training.layout import Layout
from training.promotion.promote import Promoter
from training.registry import Registry

pytestmark = pytest.mark.filterwarnings("ignore")  # MLflow's own


def test_a_registered_version_is_found_by_what_serving_looks_for(
    trained: Trained, registry: Registry, register: Register, tmp_path: Path
) -> None:
    register(trained.first)
    version = registry.by_alias("IrisSpeciesClassifier", "candidate")
    assert version is not None
    assert version.tags["slipway.model"] == "iris"
    assert not version.approved
    folder = registry.download(version, "servable", tmp_path / "downloaded")
    assert load_servable(folder, IRIS, digest=version.tags["slipway.servable_digest"]).card.model == "iris"


def test_the_run_holds_what_the_stages_wrote(
    trained: Trained, registry: Registry, register: Register
) -> None:
    version = register(trained.first)
    run = mlflow.get_run(version.run_id)
    assert run.data.params["train.discriminant.solver"] == SOLVER
    assert run.data.metrics["cross_validation.accuracy"] > 0.95
    assert run.data.metrics["slice.label/setosa.accuracy"] == 1
    assert run.data.tags["slipway.data_hash"].startswith("sha256:")
    assert "slipway.git_sha" in run.data.tags
    for name in ("metrics.json", "train.json", "model.onnx"):
        registry.download(version, f"evaluation/{name}", Path("evidence"))
    registry.download(version, "plots/answers.png", Path("evidence"))


def test_the_ordinary_pipeline_is_loadable_and_its_signature_has_doubles_only(
    trained: Trained, registry: Registry, register: Register
) -> None:
    version = register(trained.first)
    loaded = mlflow.pyfunc.load_model(f"models:/IrisSpeciesClassifier/{version.number}")
    assert {column.type.name for column in loaded.metadata.signature.inputs} == {"double"}
    rows = pd.DataFrame([[5.1, 3.5, 1.4, 0.2]], columns=list(IRIS.feature_columns))
    assert loaded.predict(rows).tolist() == ["setosa"]


def test_registering_the_same_servable_again_makes_no_second_version(
    trained: Trained, registry: Registry, register: Register
) -> None:
    first = register(trained.first)
    assert register(trained.first).number == first.number
    assert register(trained.second).number == "2"
    assert len(registry.versions(IRIS.registry_name)) == 2


def test_registering_is_written_down_once_and_so_is_the_candidate_before(
    trained: Trained, register: Register, ledger: Engine
) -> None:
    for layout in (trained.first, trained.first, trained.second):
        register(layout)
    newest, oldest = history(ledger, "iris")
    assert (oldest.action, oldest.alias, oldest.from_version, oldest.to_version) == (
        "register",
        "candidate",
        None,
        "1",
    )
    assert (newest.from_version, newest.to_version) == ("1", "2")
    assert (newest.actor, newest.reason) == ("ada", "registered")


def test_a_withdrawn_artifact_that_is_registered_again_is_no_candidate_and_that_is_said(
    trained: Trained, registry: Registry, register: Register, promoter: Promoter, ledger: Engine
) -> None:
    promote_both(trained, register, promoter)
    promoter.rollback(MOVE)
    moves = len(history(ledger, "iris"))
    said = registration.register(IRIS, trained.second, registry, ledger, actor="ada").sentence()
    assert "version 2 is this very artifact and was withdrawn on " in said
    assert registry.by_alias(IRIS.registry_name, "candidate") is None
    assert len(history(ledger, "iris")) == moves


def test_nothing_is_registered_before_the_stages_ran(
    registry: Registry, register: Register, tmp_path: Path
) -> None:
    with pytest.raises(NotRegistered, match="dvc repro"):
        register(Layout(model="iris", root=tmp_path))
