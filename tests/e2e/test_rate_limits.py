"""One caller's limit over the worker processes of a service: shared by way of Redis, divided without it."""

from __future__ import annotations

import random
import time
from contextlib import closing

import pytest

from tests.e2e.conftest import StartService
from tests.e2e.rows import iris_row
from tests.e2e.running_service import RunningService
from tests.e2e.scraped import total
from tests.e2e.waiting import until
from tests.redis_server import RedisServer

PATIENCE_SECONDS = 30.0
BURST, PER_SECOND = 30, 1
SETTINGS = {
    "WORKERS": "2",
    "MODELS": "iris",
    "RATE_LIMIT_PER_SECOND": str(PER_SECOND),
    "RATE_LIMIT_BURST": str(BURST),
    "REDIS_TIMEOUT_SECONDS": "0.5",
}


@pytest.fixture
def pair(start_service: StartService, redis_server: RedisServer) -> RunningService:
    service = start_service(**SETTINGS, REDIS_URL=redis_server.url)
    until(lambda: leased(service, "ok") >= 2, seconds=PATIENCE_SECONDS, what="workers that lease")
    return service


def leased(service: RunningService, result: str) -> float:
    return total(service.metrics_port, "slipway_rate_leases_total", result=result)


def counted(service: RunningService) -> float:
    return total(service.metrics_port, "slipway_rate_limited_total", model="iris")


class Caller:
    """Asks over ever new connections, so that both workers are asked."""

    def __init__(self, service: RunningService) -> None:
        self._client = service.client(service.token("predict"))
        _, self._row = iris_row(random.Random(0))
        self.since, self.admitted, self.refused = time.monotonic(), 0, 0

    def close(self) -> None:
        self._client.close()

    def ask(self, times: int) -> None:
        for _ in range(times):
            answer = self._client.post("/predict/iris", json=self._row, headers={"connection": "close"})
            assert answer.status_code in (200, 429), answer.text
            self.admitted += answer.status_code == 200
            self.refused += answer.status_code == 429
            if answer.status_code == 429:
                assert int(answer.headers["retry-after"]) >= 1

    def ask_until_refused(self, refusals: int) -> None:
        wanted = self.refused + refusals
        while self.refused < wanted:
            self.ask(5)

    @property
    def most(self) -> float:
        return 1.1 * BURST + PER_SECOND * (time.monotonic() - self.since)


def test_two_processes_admit_one_limit_with_redis_without_it_and_with_it_again(
    pair: RunningService, redis_server: RedisServer
) -> None:
    with closing(Caller(pair)) as caller:
        ask_through_an_outage(caller, pair, redis_server)
        assert caller.admitted <= caller.most
    # The worker that was not scraped writes its counts down a few times a second.
    until(lambda: counted(pair) == caller.refused, seconds=PATIENCE_SECONDS, what="every refusal counted")


def ask_through_an_outage(caller: Caller, pair: RunningService, redis_server: RedisServer) -> None:
    caller.ask_until_refused(5)
    redis_server.stop()
    until(lambda: leased(pair, "error") >= 2, seconds=PATIENCE_SECONDS, what="workers that are by themselves")
    caller.ask_until_refused(5)
    redis_server.start()
    seen = leased(pair, "ok")
    until(lambda: leased(pair, "ok") >= seen + 4, seconds=PATIENCE_SECONDS, what="workers that lease again")
    caller.ask_until_refused(5)
