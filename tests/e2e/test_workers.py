"""Two workers: one scrape has the figures of both, and one agent serves both, whoever of them dies."""

from __future__ import annotations

import time

import httpx
import pytest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.samples import Sample

from tests.e2e.conftest import StartService
from tests.e2e.load import Load
from tests.e2e.logged_rows import assert_every_answer_is_logged_once, wait_until_shipped
from tests.e2e.processes import listeners
from tests.e2e.rows import any_row
from tests.e2e.running_service import READY_SECONDS, RunningService
from tests.e2e.scraped import total
from tests.e2e.waiting import until

PATIENCE_SECONDS = 20.0
PAUSE_SECONDS = 0.01


@pytest.fixture
def pair(start_service: StartService) -> RunningService:
    """As in a container, where BentoML does not replace a dead worker."""
    service = start_service(WORKERS="2", BENTOML_CONTAINERIZED="true")
    until(lambda: len(service.workers) == 2, seconds=PATIENCE_SECONDS, what="two workers")
    service.wait_for_agent()
    until(lambda: both_are_ready(service), seconds=READY_SECONDS, what="each of them serves every model")
    return service


def both_are_ready(service: RunningService) -> bool:
    """`/readyz` speaks for the one worker that accepted the probe."""
    states = [own_samples(service, worker, "gauge_livemostrecent") for worker in service.workers]
    return all({"food-delivery", "iris"} <= ready_models(samples) for samples in states)


def ready_models(samples: list[Sample]) -> set[str]:
    return {
        sample.labels["model"]
        for sample in samples
        if sample.name == "slipway_model_state" and sample.labels["state"] == "ready" and sample.value == 1
    }


def wait_until_all_are_counted(service: RunningService, load: Load) -> None:
    """Exactly as many as the clients saw, in each of three places."""

    def counted() -> list[float]:
        port = service.metrics_port
        return [
            total(port, "slipway_predictions_total", outcome="ok"),
            total(port, "slipway_prediction_log_records_total", result="written"),
            total(port, "slipway_http_requests_total", route="/predict/{model}", code="200"),
        ]

    expected = [float(len(load.answers))] * 3
    until(lambda: counted() == expected, seconds=PATIENCE_SECONDS, what=f"{counted()} is {expected}")
    time.sleep(0.5)
    assert counted() == expected


def own_samples(service: RunningService, worker: int, kind: str) -> list[Sample]:
    """The worker's own share, from the file by which workers share their metrics; nothing before it has one."""
    files = [str(path) for path in service.metrics_folder.glob(f"{kind}_{worker}.db")]
    families = MultiProcessCollector.merge(files, accumulate=True)
    return [sample for family in families for sample in family.samples]


def answered_by(service: RunningService, worker: int) -> int:
    samples = own_samples(service, worker, "counter")
    return int(sum(sample.value for sample in samples if sample.name == "slipway_predictions_total"))


def live(service: RunningService) -> int:
    return httpx.get(f"{service.url}/livez", timeout=5).status_code


def ask(service: RunningService) -> Load:
    """Over new connections, or one worker might accept all of them."""
    with Load(
        service.api_port, service.token(), any_row, pause_seconds=PAUSE_SECONDS, keeps_connections=False
    ) as load:
        time.sleep(1.5)
    assert (load.refusals, load.unanswered) == ([], [])
    return load


def test_one_scrape_counts_the_answers_of_both_workers_exactly(pair: RunningService) -> None:
    load = ask(pair)
    wait_until_all_are_counted(pair, load)
    assert all(answered_by(pair, worker) > 0 for worker in pair.workers)
    assert len(pair.agents) == 1
    wait_until_shipped(pair.spool)
    assert_every_answer_is_logged_once(load, pair.database_url)


def test_the_worker_that_is_left_takes_over_the_metrics_port_and_the_agent(pair: RunningService) -> None:
    load = ask(pair)
    wait_until_all_are_counted(pair, load)
    assert live(pair) == 200
    (victim,) = listeners(pair.metrics_port)
    pair.kill(victim)
    (survivor,) = set(pair.workers) - {victim}
    until(lambda: live(pair) == 503, seconds=PATIENCE_SECONDS, what="liveness says that one is gone")
    until(lambda: pair.agent_of(survivor), seconds=PATIENCE_SECONDS, what="the survivor has an agent")
    until(
        lambda: listeners(pair.metrics_port) == {survivor}, seconds=PATIENCE_SECONDS, what="and the metrics"
    )
    wait_until_all_are_counted(pair, load)  # the dead worker's answers still count
    until(lambda: len(pair.agents) == 1, seconds=PATIENCE_SECONDS, what="one agent")
    until(pair.is_ready, seconds=PATIENCE_SECONDS, what="the survivor serves")
    wait_until_shipped(pair.spool)
    assert_every_answer_is_logged_once(load, pair.database_url)
