"""Three workers behind one port: whatever is true of one is true of all, and of what they share there is one."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from mlflow import MlflowClient

from modelkit.definition import load_catalog
from records.migrate import upgrade
from tests.e2e.half_sent import HalfSent
from tests.e2e.load import Load
from tests.e2e.logged_rows import wait_until_shipped
from tests.e2e.processes import listeners
from tests.e2e.rows import iris_row
from tests.e2e.running_service import RunningService
from tests.e2e.scraped import total
from tests.e2e.waiting import until
from tests.soak.samples import held
from tests.tiny_versions import TinyVersions

WORKERS = 3
IRIS = load_catalog()["iris"]
PATIENCE_SECONDS = 30.0
TIMES = 40  # over new connections: by then each of three workers was asked, but once in ten million
MOST_THREADS = 12

pytestmark = pytest.mark.filterwarnings("ignore")  # MLflow's own


class Three:
    """A service, as in a container, that follows a registry of two versions."""

    def __init__(self, folder: Path) -> None:
        uri, database = f"sqlite:///{folder / 'mlflow.db'}", f"sqlite:///{folder / 'slipway.db'}"
        upgrade(database)
        made = TinyVersions(IRIS, uri, folder)
        for bias in (0.0, 3.0):
            made.make(bias=bias, approved=True)
        self._registry = MlflowClient(uri, uri)
        self.move("1")
        self.service = RunningService(
            folder,
            tracking_uri=uri,
            database_url=database,
            MODELS="iris",
            WORKERS=str(WORKERS),
            BENTOML_CONTAINERIZED="true",
            REQUEST_TIMEOUT_SECONDS="60",
        )

    def move(self, version: str) -> None:
        self._registry.set_registered_model_alias(IRIS.registry_name, "production", version)

    def asked(self, method: str, path: str, **parts: object) -> list[httpx.Response]:
        """Many times, each over a connection of its own."""
        headers = {"authorization": f"Bearer {self.service.token()}", "connection": "close"}
        with self.service.client() as client:
            client.headers.update(headers)
            return [client.request(method, path, **parts) for _ in range(TIMES)]  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Three]:
    made = Three(tmp_path_factory.mktemp("three"))
    with made.service as service:
        until(lambda: len(service.workers) == WORKERS, seconds=PATIENCE_SECONDS, what="three workers")
        service.wait_for_agent()
        until(
            lambda: all(each.status_code == 200 for each in made.asked("GET", "/readyz")),
            seconds=PATIENCE_SECONDS,
            what="every worker is ready",
        )
        yield made


def versions(answers: list[httpx.Response]) -> set[str]:
    return {answer.json()["model_version"] for answer in answers}


def test_every_worker_follows_the_alias_and_one_row_has_one_answer(three: Three) -> None:
    row, found = iris_row(random.Random(5))[1], {}
    for version in ("2", "1"):
        three.move(version)
        until(
            lambda wanted={version}: versions(three.asked("POST", "/predict/iris", json=row)) == wanted,  # type: ignore[misc]
            seconds=PATIENCE_SECONDS,
            what=f"version {version} everywhere",
        )
        answers = [each.json() for each in three.asked("POST", "/predict/iris", json=row)]
        assert {answer["cached"] for answer in answers} == {True}
        assert len({str(answer["probabilities"]) for answer in answers}) == 1
        found[version] = answers[0]["probabilities"]
    assert found["1"] != found["2"]


def test_every_worker_drains_and_comes_back(three: Three) -> None:
    file = three.service.drain_file
    file.touch()
    until(
        lambda: {each.status_code for each in three.asked("GET", "/readyz")} == {503},
        seconds=PATIENCE_SECONDS,
        what="no worker is ready",
    )
    assert {each.status_code for each in three.asked("GET", "/livez")} == {200}
    file.unlink()
    until(
        lambda: {each.status_code for each in three.asked("GET", "/readyz")} == {200},
        seconds=PATIENCE_SECONDS,
        what="every worker is ready again",
    )


def test_a_worker_has_few_threads_however_much_was_asked_of_it(three: Three) -> None:
    for number in range(6):
        credentials = {"username": f"ada{number}", "password": "x" * 12}
        assert {each.status_code for each in three.asked("POST", "/login", json=credentials)} <= {401, 429}
    assert {each.status_code for each in three.asked("GET", "/models/iris/history")} == {200}
    threads = [held("worker", pid).threads for pid in three.service.workers]
    assert len(threads) == WORKERS
    assert max(threads) <= MOST_THREADS, threads


def test_there_is_one_agent_and_every_answer_of_every_worker_is_logged_once(three: Three) -> None:
    service = three.service
    with Load(
        service.api_port, service.token(), iris_row, pause_seconds=0.05, keeps_connections=False
    ) as load:
        until(lambda: len(load.answers) > 200, seconds=PATIENCE_SECONDS, what="answers")
    assert (load.refusals, load.unanswered) == ([], [])
    assert len(service.agents) == 1
    wait_until_shipped(service.spool)
    mine = {answer.prediction_id for answer in load.answers}
    assert len(mine) == len(load.answers)


def test_an_agent_that_is_killed_is_missed_and_comes_back(three: Three) -> None:
    """Each time it is killed, the worker that has it waits longer before it starts another."""
    service = three.service

    def missed() -> bool:
        service.kill(*service.agents)
        return total(service.metrics_port, "slipway_agent_up") == 0

    until(missed, seconds=PATIENCE_SECONDS, what="the gauge says that there is none")
    assert three.asked("GET", "/livez")[0].status_code == 200
    until(
        lambda: total(service.metrics_port, "slipway_agent_up") == 1 and len(service.agents) == 1,
        seconds=2 * PATIENCE_SECONDS,
        what="one agent again",
    )


def test_a_killed_worker_takes_its_requests_out_of_the_gauge_and_leaves_its_counters(three: Three) -> None:
    service = three.service
    port = service.metrics_port
    waiting = [HalfSent(service, iris_row(random.Random(number))[1]) for number in range(6 * WORKERS)]

    def under_way() -> float:
        return total(port, "slipway_uploads")

    until(lambda: under_way() >= len(waiting), seconds=PATIENCE_SECONDS, what="all are under way")
    counted = total(port, "slipway_predictions_total")
    victim = (set(service.workers) - listeners(port)).pop()
    service.kill(victim)
    with httpx.Client(base_url=service.url, timeout=5) as client:
        until(
            lambda: client.get("/livez", headers={"connection": "close"}).status_code == 503,
            seconds=PATIENCE_SECONDS,
            what="liveness says that one is gone",
        )
    until(
        lambda: list(service.metrics_folder.glob(f"gauge_live*_{victim}.db")) == [],
        seconds=PATIENCE_SECONDS,
        what="its gauges are forgotten",
    )
    for request in waiting:
        request.close()
    until(lambda: under_way() == 0, seconds=PATIENCE_SECONDS, what="nothing is under way")
    assert total(port, "slipway_predictions_total") >= counted


def test_it_ends_with_0_though_one_is_dead_and_leaves_nothing(three: Three) -> None:
    assert three.service.stop() == 0
    assert three.service.left == []
    assert list(three.service.spool.glob("*-*")) == []
