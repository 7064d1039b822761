"""Explanations of a served process: an explainer that dies is replaced, and one whose worker dies goes with it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from modelkit.definition import load_catalog
from serving.revocation_file import RevocationFile
from tests.e2e.processes import children, command_line, is_alive
from tests.e2e.running_service import RunningService
from tests.e2e.waiting import until
from tests.tiny_servables import write_tiny

HOUSING = load_catalog()["housing"]
ROW = dict(HOUSING.examples[0])
EXPLAINER = "serving.explain"
LONG_SECONDS = 3_600.0
PATIENCE_SECONDS = 30.0


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """One model from a folder and no agent, whose word on revocations is there beforehand."""
    tmp_path = tmp_path_factory.mktemp("explaining")
    write_tiny(HOUSING, tmp_path / "baked" / "housing")
    (tmp_path / "store").mkdir()
    RevocationFile(tmp_path / "store").write((), right_at=time.time() + LONG_SECONDS)
    settings = {
        "MODELS": "housing",
        "MODEL_SOURCE": "path",
        "MODEL_PATH": str(tmp_path / "baked"),
        "AGENT_ENABLED": "false",
        "REQUEST_TIMEOUT_SECONDS": "60",
    }
    address = f"sqlite:///{tmp_path}/none.db"
    with RunningService(tmp_path, tracking_uri=address, database_url=address, **settings) as running:
        yield running


def explainers(service: RunningService) -> list[int]:
    return [
        pid
        for worker in service.workers
        for pid in children(worker)
        if is_alive(pid) and EXPLAINER in command_line(pid)
    ]


def explain(client: httpx.Client, **changed: float) -> httpx.Response:
    return client.post("/explain/housing", json={**ROW, **changed}, timeout=PATIENCE_SECONDS)


def test_a_killed_explainer_costs_one_explanation_and_no_prediction(service: RunningService) -> None:
    with service.client() as client:
        assert explainers(service) == []
        first = explain(client).json()
        assert first["base_value"] + sum(first["contributions"].values()) == pytest.approx(first["value"])
        assert first["value"] == client.post("/predict/housing", json=ROW).json()["prediction"]
        (killed,) = explainers(service)
        service.kill(killed)
        assert client.get("/readyz").status_code == 200
        assert client.post("/predict/housing", json=ROW).status_code == 200
        refused = explain(client, median_income=5.0)
        assert (refused.status_code, refused.json()["code"]) == (503, "explainer-unavailable")
        assert explain(client, median_income=5.0).status_code == 200
        assert explainers(service) != [killed]


def test_an_explainer_knows_no_secret_and_yields_to_predictions(service: RunningService) -> None:
    with service.client() as client:
        explain(client)
    (explainer,) = explainers(service)
    environment = Path(f"/proc/{explainer}/environ").read_text().split("\0")
    assert not {line for line in environment if line.startswith(("JWT_", "DATABASE_", "REDIS_"))}
    niceness = Path(f"/proc/{explainer}/stat").read_text().rpartition(")")[2].split()[16]
    assert int(niceness) >= 10
    assert Path(f"/proc/{explainer}/oom_score_adj").read_text().strip() == "1000"


def test_an_explainer_ends_with_its_worker_however_that_ends(service: RunningService) -> None:
    with service.client() as client:
        explain(client)
    (explainer,) = explainers(service)
    service.kill(*service.workers)  # the last test: nobody starts them again
    until(lambda: not is_alive(explainer), seconds=PATIENCE_SECONDS, what="the explainer is gone, too")
