"""As in a hardened pod: sources nobody may write to, any user, secrets as files, the agent beside the service."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from mlflow import MlflowClient

from catalog.iris.definition import DEFINITION as IRIS
from tests.e2e.hardened_pod import WRITABLE, HardenedPod
from tests.e2e.logged_rows import logged
from tests.e2e.scraped import total
from tests.e2e.waiting import until
from tests.mlflow_server import MlflowServer
from tests.model_signing_keys import new_pair
from tests.tiny_versions import TinyVersions
from training.promotion.signing import Signer
from training.registry import Registry

pytestmark = pytest.mark.filterwarnings("ignore")  # MLflow's own

PATIENCE_SECONDS = 30.0
FLOWER = dict(IRIS.examples[0])


@pytest.fixture(scope="module")
def pod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HardenedPod]:
    """Follows a real registry over HTTP, which also hands out the artifacts, and believes what one key has signed."""
    folder = tmp_path_factory.mktemp("mlflow")
    server = MlflowServer(folder)
    try:
        versions = TinyVersions(IRIS, server.url, folder, artifacts="mlflow-artifacts:/iris")
        version = versions.make(approved=True)
        keys = new_pair(folder / "keys")
        Signer(Registry(server.url), keys.private.read_bytes()).sign(version)
        MlflowClient(server.url).set_registered_model_alias(IRIS.registry_name, "production", "1")
        with HardenedPod(server.url, models="iris", verify_keys=keys.public) as made:
            yield made
    finally:
        server.stop()


def test_it_serves_what_the_registry_names_and_shows_that_its_agent_lives(pod: HardenedPod) -> None:
    until(
        lambda: total(pod.metrics_port, "slipway_agent_up") == 1,
        seconds=PATIENCE_SECONDS,
        what="the worker sees the agent",
    )
    with pod.client() as client:
        answer = client.post("/predict/iris", json=FLOWER).json()
        (model,) = client.get("/models").json()["models"]
    assert (answer["model_version"], model["loaded"], model["desired"]) == ("1", "1", "1")
    assert model["stale"] is False


def test_after_a_restart_of_its_container_it_neither_drains_nor_counts_what_was_before(
    pod: HardenedPod,
) -> None:
    with pod.client() as client:
        client.post("/predict/iris", json=FLOWER).raise_for_status()
    until(
        lambda: total(pod.metrics_port, "slipway_predictions_total") > 0,
        seconds=PATIENCE_SECONDS,
        what="the answer is counted",
    )
    assert pod.end_service() == 0
    assert pod.drain_file.exists(), "a volume outlives the container"
    pod.start_service()
    assert not pod.drain_file.exists()
    assert total(pod.metrics_port, "slipway_predictions_total") == 0
    with pod.client() as client:
        assert "connection" not in client.post("/predict/iris", json=FLOWER).raise_for_status().headers


def test_at_its_end_every_answer_is_in_sql_and_nothing_was_written_outside_of_its_volumes(
    pod: HardenedPod,
) -> None:
    with pod.client() as client:
        last = client.post("/predict/iris", json=FLOWER).json()["prediction_id"]
    assert pod.end_service() == 0
    assert pod.end_agent() == 0
    assert last in logged(pod.database_url)
    assert list((pod.root / "spool").glob("*.sealed")) + list((pod.root / "spool").glob("*.open")) == []
    assert pod.tree() == pod.app_before
    assert {path.name for path in pod.root.iterdir()} == {*WRITABLE, "app", "secrets", "log"}
    assert pod.strays() == []
    assert list((pod.root / "tmp").glob(".cache")) == [], (
        "libraries that report to their makers leave files at home"
    )


def test_its_user_may_write_to_no_source(pod: HardenedPod) -> None:
    """Or the test above would say little. Root without a user of its own writes wherever it likes: it only compares."""
    modes = [path.stat().st_mode & 0o222 for path in (pod.app, *pod.app.rglob("*"))]
    assert set(modes) == {0}
    assert Path(pod.app / "serving" / "bootstrap.py").exists()
    assert not list(pod.app.rglob("recipe*"))
