"""SIGTERM with two workers: the agent that one of them has ships what the other, which is busy for longer, writes last."""

from __future__ import annotations

import random
import time
from pathlib import Path

from tests.e2e.half_sent import HalfSent
from tests.e2e.load import Load
from tests.e2e.logged_rows import assert_every_answer_is_logged_once, logged
from tests.e2e.processes import peers
from tests.e2e.rows import iris_row
from tests.e2e.running_service import RunningService
from tests.e2e.tiny_service import tiny_service
from tests.e2e.waiting import until

PATIENCE_SECONDS = 60.0
LATER_SECONDS = 3.0  # than the worker that has the agent and nothing more to do


def asked_of(worker: int, service: RunningService) -> HalfSent:
    """A request that is under way there: any worker may accept a connection."""
    for seed in range(100):
        request = HalfSent(service, iris_row(random.Random(seed))[1])
        if worker in accepting(request):
            return request
        request.close()
    raise AssertionError("the worker accepts nothing")


def accepting(request: HalfSent) -> set[int]:
    return until(lambda: peers(request.port), seconds=PATIENCE_SECONDS, what="somebody has accepted it")


def test_what_another_worker_writes_last_is_shipped_as_well(tmp_path: Path) -> None:
    settings = {"WORKERS": "2", "BENTOML_CONTAINERIZED": "true", "REQUEST_TIMEOUT_SECONDS": "60"}
    with tiny_service(tmp_path, ["iris"], **settings) as service:
        until(lambda: len(service.workers) == 2, seconds=PATIENCE_SECONDS, what="two workers")
        service.wait_for_agent()
        (busy,) = [worker for worker in service.workers if service.agent_of(worker) is None]
        slow = asked_of(busy, service)
        with Load(service.api_port, service.token(), iris_row, pause_seconds=0.02, clients=8) as load:
            until(lambda: len(load.answers) > 100, seconds=PATIENCE_SECONDS, what="answers")
            service.terminate()
            time.sleep(LATER_SECONDS)
            last = slow.finish()
            assert service.wait() == 0
        assert list(service.spool.glob("*-*")) == [], "nothing is left for a next start"
        assert last["prediction_id"] in logged(service.database_url)
        load.unanswered.append(logged(service.database_url)[str(last["prediction_id"])])
        assert_every_answer_is_logged_once(load, service.database_url)
