"""SIGTERM: what is under way is finished, what was answered is logged. Behind a balancer: `tests.faults.shutdown`."""

from __future__ import annotations

import random
import threading
import time

from tests.e2e.conftest import StartService
from tests.e2e.half_sent import HalfSent
from tests.e2e.load import Load
from tests.e2e.logged_rows import assert_every_answer_is_logged_once, logged
from tests.e2e.processes import listeners
from tests.e2e.rows import any_row, iris_row
from tests.e2e.running_service import RunningService
from tests.e2e.scraped import total
from tests.e2e.waiting import until

SLOW_REQUESTS = 4
PAUSE_SECONDS = 0.01


def test_requests_in_flight_at_sigterm_are_answered_and_logged_and_the_exit_code_is_0(
    start_service: StartService,
) -> None:
    service = start_service(REQUEST_TIMEOUT_SECONDS="30")
    service.wait_for_agent()
    chance = random.Random(1)
    waiting = [HalfSent(service, iris_row(chance)[1]) for _ in range(SLOW_REQUESTS)]
    until(
        lambda: total(service.metrics_port, "slipway_uploads") >= SLOW_REQUESTS,
        seconds=10,
        what="all are under way",
    )
    codes: list[int] = []
    ending = threading.Thread(target=lambda: codes.append(service.stop()))
    ending.start()
    # BentoML's parent keeps the listening socket until its workers are gone: newcomers connect and get no answer.
    until(lambda: not service.answers(), seconds=10, what="newcomers are not served any more")
    answers = [request.finish() for request in waiting]
    ending.join()
    assert codes == [0]
    assert service.left == []
    assert {answer["prediction_id"] for answer in answers} == set(logged(service.database_url))


def test_sigterm_under_load_ships_every_answer_and_leaves_no_process(service: RunningService) -> None:
    service.wait_for_agent()
    with Load(service.api_port, service.token(), any_row, pause_seconds=PAUSE_SECONDS) as load:
        time.sleep(2)
        assert service.stop() == 0
    assert load.refusals == []
    assert service.left == []
    assert listeners(service.api_port) | listeners(service.metrics_port) == set()
    assert_every_answer_is_logged_once(load, service.database_url)
    assert list(service.spool.glob("*-*")) == []
