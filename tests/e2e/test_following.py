"""Alias moves and a registry that goes away, under load: nobody notices but the version in the answers."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from mlflow import MlflowClient

from tests.architecture.source_tree import ROOT
from tests.e2e.conftest import StartService
from tests.e2e.load import Answer, Load
from tests.e2e.rows import any_row, repeated_row
from tests.e2e.running_service import RunningService
from tests.e2e.scraped import total
from tests.e2e.trained_registry import CATALOG, TrainedRegistry
from tests.e2e.waiting import until
from tests.mlflow_server import MlflowServer

MOVES = 20
POLL_SECONDS = 0.5
SWITCH_SECONDS = POLL_SECONDS + 2.0  # the promise
PAUSE_SECONDS = 0.02
MODELS = ("food-delivery", "iris")

pytestmark = pytest.mark.filterwarnings("ignore")  # MLflow's own


def move(registry: MlflowClient, model: str, version: str) -> None:
    registry.set_registered_model_alias(CATALOG[model].registry_name, "production", version)


def versions_since(load: Load, model: str, start: int) -> set[str]:
    return {answer.body["model_version"] for answer in load.answers[start:] if answer.body["model"] == model}


def wait_for_the_switch(load: Load, version: str) -> None:
    """Until both models answer with the version."""
    start = len(load.answers)
    until(
        lambda: all(version in versions_since(load, model, start) for model in MODELS),
        seconds=SWITCH_SECONDS,
        what=f"answers of version {version}",
    )


def assert_computed_by_the_version_they_name(answers: Sequence[Answer], registry: TrainedRegistry) -> None:
    """Bit for bit, also those from the cache."""
    by_version: dict[tuple[str, str], list[Answer]] = defaultdict(list)
    for answer in answers:
        by_version[answer.body["model"], answer.body["model_version"]].append(answer)
    assert set(by_version) == {(model, version) for model in MODELS for version in ("1", "2")}
    for (name, version), given in by_version.items():
        model = registry.load(name, version)
        outcomes = model.predict([model.reader.from_object(answer.row) for answer in given])
        assert [answer.body["prediction"] for answer in given] == [item.prediction for item in outcomes]
        assert [answer.body.get("probabilities") for answer in given] == [
            item.probabilities for item in outcomes
        ]


@pytest.mark.parametrize("model", MODELS)
def test_the_two_versions_answer_differently(trained_registry: TrainedRegistry, model: str) -> None:
    """Otherwise the test below would prove nothing."""
    first, second = (trained_registry.load(model, version) for version in ("1", "2"))
    rows = [first.reader.from_object(dict(example)) for example in CATALOG[model].examples]
    pairs = zip(first.predict(rows), second.predict(rows), strict=True)
    assert all((a.prediction, a.probabilities) != (b.prediction, b.probabilities) for a, b in pairs)


def test_twenty_alias_moves_under_load_cost_no_request_and_every_answer_names_its_version(
    start_service: StartService, trained_registry: TrainedRegistry
) -> None:
    service = start_service(MODEL_POLL_SECONDS=str(POLL_SECONDS))
    service.wait_for_agent()
    registry = MlflowClient(tracking_uri=service.tracking_uri, registry_uri=service.tracking_uri)
    with Load(service.api_port, service.token(), repeated_row, pause_seconds=PAUSE_SECONDS) as load:
        for number in range(MOVES):
            version = "21"[number % 2]
            for model in MODELS:
                move(registry, model, version)
            wait_for_the_switch(load, version)
    assert (load.refusals, load.unanswered) == ([], [])
    assert_computed_by_the_version_they_name(load.answers, trained_registry)


def test_rollback_on_the_command_line_moves_the_served_version_back(service: RunningService) -> None:
    with Load(service.api_port, service.token(), any_row, pause_seconds=PAUSE_SECONDS) as load:
        until(lambda: versions_since(load, "iris", 0) == {"2"}, seconds=10, what="version 2 of iris")
        addresses = {
            "MLFLOW_TRACKING_URI": service.tracking_uri,
            "DATABASE_URL": service.database_url,
            "PYTHONPATH": str(ROOT),
        }
        subprocess.run(
            [sys.executable, "-m", "training", "rollback", "iris"],
            env=addresses,
            cwd=service.folder,
            check=True,
        )
        start = len(load.answers)
        until(lambda: "1" in versions_since(load, "iris", start), seconds=SWITCH_SECONDS, what="version 1")
    assert (load.refusals, load.unanswered) == ([], [])


@pytest.fixture
def registry_server(trained_registry: TrainedRegistry, tmp_path: Path) -> Iterator[MlflowServer]:
    shutil.copy(trained_registry.root / "mlflow.db", tmp_path / "server.db")
    server = MlflowServer(tmp_path)
    yield server
    with contextlib.suppress(ProcessLookupError):  # a test may have stopped it
        server.stop()


def test_a_registry_that_is_down_stops_neither_a_service_nor_a_restart(
    start_service: StartService, registry_server: MlflowServer
) -> None:
    service = start_service(tracking_uri=registry_server.url)
    registry_server.stop()
    with Load(service.api_port, service.token(), any_row, pause_seconds=PAUSE_SECONDS) as load:
        until(
            lambda: total(service.agent_metrics_port, "slipway_registry_polls_total", result="error") > 2,
            seconds=30,
            what="the agent counts polls that failed",
        )
        time.sleep(1)
    assert (load.refusals, load.unanswered) == ([], [])
    assert load.answers

    service.stop()
    service.start()
    service.wait_until_ready()
    with service.client() as client:
        for model in MODELS:
            answer = client.post(f"/predict/{model}", json=CATALOG[model].examples[0])
            assert answer.status_code == 200
            assert answer.json()["model_version"] in ("1", "2")
