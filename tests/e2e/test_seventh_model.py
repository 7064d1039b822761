"""A seventh model is one folder and one block of knobs: trained, promoted and served without touching another file."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.e2e.running_service import RunningService
from tests.project_copy import copy_of_the_project, git, run

MODEL = Path(__file__).parent / "seventh_model"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project with the folder and the block, its model trained and in production."""
    project = copy_of_the_project(tmp_path_factory.mktemp("seventh"))
    shutil.copytree(
        MODEL / "parcel_price",
        project / "catalog" / "parcel_price",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    with (project / "params.yaml").open("a") as params:
        params.write((MODEL / "params.yaml").read_text())
    run(project, "python", "-m", "training", "data", "parcel-price")
    run(project, "dvc", "repro", "--quiet", "report@parcel-price")
    run(project, "python", "-m", "training", "register", "parcel-price")
    promoted = run(project, "python", "-m", "training", "promote", "parcel-price")
    assert "production is now version 1" in promoted
    return project


@pytest.mark.timeout(240)
def test_nothing_but_its_folder_and_its_block_was_touched(project: Path) -> None:
    changed = git(project, "status", "--porcelain", "--", ".", ":!data", ":!models", ":!dvc.lock")
    ours = {line for line in changed.splitlines() if ".gitignore" not in line}
    assert ours == {" M params.yaml", "?? catalog/parcel_price/"}


def test_it_is_served_with_everything_that_a_model_gets(project: Path, tmp_path: Path) -> None:
    addresses = {
        "tracking_uri": f"sqlite:///{project / 'mlflow.db'}",
        "database_url": f"sqlite:///{project / 'var' / 'slipway.db'}",
    }
    with RunningService(tmp_path, project, MODELS="parcel-price", **addresses) as service:
        with service.client() as client:
            parcel = {"weight_kg": 10.0, "distance_km": 500.0, "zone": "land"}
            answer = client.post("/predict/parcel-price", json=parcel).json()
            same = client.post("/predict", json=parcel).json()
            refused = client.post("/predict/parcel-price", json={"weight_kg": -1})
            described = client.get("/openapi.json").json()
            models = client.get("/models").json()["models"]
            metrics = client.get("/metrics").text
    assert answer["prediction"] == pytest.approx(3 + 4 + 2.5, abs=1)
    assert answer["lower"] < answer["prediction"] < answer["upper"]
    assert (answer["units"], answer["model_version"]) == ("EUR", "1")
    assert (same["prediction"], same["cached"]) == (answer["prediction"], True)
    assert refused.status_code == 400
    assert "ParcelPriceRequest" in described["components"]["schemas"]
    assert [(model["name"], model["loaded"]) for model in models] == [("parcel-price", "1")]
    assert 'slipway_predictions_total{model="parcel-price",outcome="ok"' in metrics
