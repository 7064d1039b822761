"""`kill -9` at random moments under load: what was acknowledged is logged once, and the port is served again at once."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

import pytest

from tests.e2e.conftest import StartService
from tests.e2e.load import CLIENTS, Load
from tests.e2e.logged_rows import assert_every_answer_is_logged_once, logged, wait_until_shipped
from tests.e2e.processes import is_alive, listeners
from tests.e2e.rows import any_row, iris_row
from tests.e2e.running_service import RunningService
from tests.e2e.waiting import until

SEED = 20220401
# Workers less often: BentoML's parent looks only every ten seconds whether one is gone.
VICTIMS = ("worker", "agent", "parent", "everything", "agent", "parent", "everything")
AGAIN_SECONDS = 30.0
PAUSE_SECONDS = 0.01
SECONDS_PER_KILL = 30


def wait_for_answers(load: Load) -> None:
    """New ones: since now."""
    before = len(load.answers)
    until(lambda: len(load.answers) > before + CLIENTS, seconds=AGAIN_SECONDS, what="clients get answers")


def kill_worker(service: RunningService) -> None:
    """Outside containers BentoML's parent starts another on the socket that it kept."""
    (worker,) = service.workers
    service.kill(worker)
    until(lambda: service.workers not in ([], [worker]), seconds=AGAIN_SECONDS, what="another worker")


def kill_agent(service: RunningService) -> None:
    agent = service.wait_for_agent()
    service.kill(agent)
    until(lambda: service.wait_for_agent() != agent, seconds=AGAIN_SECONDS, what="another agent")


def kill_parent(service: RunningService) -> None:
    """The worker must follow by itself, or it would keep the port from the service that is started at once."""
    orphans = service.left
    service.kill(service.parent)
    service.start()
    until(lambda: not any(map(is_alive, orphans)), seconds=AGAIN_SECONDS, what="orphans end")


def kill_everything(service: RunningService) -> None:
    service.kill(*service.left)
    service.start()


KILLERS = {
    "worker": kill_worker,
    "agent": kill_agent,
    "parent": kill_parent,
    "everything": kill_everything,
}


def moments(count: int) -> list[tuple[str, float]]:
    """Who is killed, in random order, and after how long a time of answers."""
    chance = random.Random(SEED)
    victims = [VICTIMS[number % len(VICTIMS)] for number in range(count)]
    chance.shuffle(victims)
    return [(victim, chance.uniform(0.05, 1.0)) for victim in victims]


@pytest.mark.timeout(SECONDS_PER_KILL * 100)
def test_whatever_is_killed_every_acknowledged_prediction_is_logged_exactly_once(
    start_service: StartService, kills: int, record_testsuite_property: Callable[[str, object], None]
) -> None:
    service = start_service()
    with Load(service.api_port, service.token(), any_row, pause_seconds=PAUSE_SECONDS) as load:
        for victim, seconds in moments(kills):
            wait_for_answers(load)
            time.sleep(seconds)
            KILLERS[victim](service)
            service.wait_until_ready()
            assert listeners(service.api_port) <= {service.parent, *service.workers}
        wait_for_answers(load)
    wait_until_shipped(service.spool)
    # A worker that has just started says so while it loads its models; such a request has no answer to log.
    assert {status for status, _ in load.refusals} <= {503}
    assert all("model-not-ready" in body for _, body in load.refusals)
    assert_every_answer_is_logged_once(load, service.database_url)
    unacknowledged = len(logged(service.database_url)) - len(load.answers)
    assert unacknowledged <= CLIENTS * kills
    assert list(service.spool.glob("*.corrupt")) == []
    figures = {"kills": kills, "acknowledged": len(load.answers), "unacknowledged rows": unacknowledged}
    for name, figure in figures.items():
        record_testsuite_property(name, figure)


def test_in_a_container_nothing_outlives_the_last_worker_and_a_restart_serves_at_once(
    start_service: StartService,
) -> None:
    """BentoML replaces no worker there; its parent ends as well when it finds none left, for others to restart it."""
    service = start_service(BENTOML_CONTAINERIZED="true")
    (worker,) = service.workers
    with service.client() as client:
        answer = client.post("/predict/iris", json=iris_row(random.Random(SEED))[1]).json()
    service.kill(worker)
    service.wait()
    assert service.left == []
    service.start()
    service.wait_until_ready()
    wait_until_shipped(service.spool)
    assert answer["prediction_id"] in logged(service.database_url)
