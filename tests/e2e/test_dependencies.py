"""Redis and PostgreSQL that stop while requests are under way: clients notice nothing, operators read it in metrics."""

from __future__ import annotations

import time

import pytest

from tests.e2e.conftest import StartService
from tests.e2e.load import Load
from tests.e2e.logged_rows import assert_every_answer_is_logged_once, logged, wait_until_shipped
from tests.e2e.rows import any_row, iris_row
from tests.e2e.scraped import total
from tests.e2e.stoppable_postgres import StoppablePostgres
from tests.e2e.waiting import until
from tests.redis_server import RedisServer

DOWN_SECONDS = 3.0
PAUSE_SECONDS = 0.02
PATIENCE_SECONDS = 30.0


@pytest.fixture
def postgres() -> StoppablePostgres:
    return StoppablePostgres()


def test_redis_stopping_mid_flight_is_invisible_to_clients_and_visible_in_metrics(
    start_service: StartService, redis_server: RedisServer
) -> None:
    service = start_service(REDIS_URL=redis_server.url)
    port = service.metrics_port

    def asked(result: str) -> float:
        return total(port, "slipway_cache_requests_total", tier="redis", result=result)

    with Load(service.api_port, service.token(), any_row, pause_seconds=PAUSE_SECONDS) as load:
        until(lambda: asked("miss") > 100, seconds=PATIENCE_SECONDS, what="Redis is asked")
        assert total(port, "slipway_cache_breaker_open") == 0
        errors = asked("error")  # a call that took longer than its budget, on a busy machine
        redis_server.stop()
        until(lambda: asked("error") > errors, seconds=PATIENCE_SECONDS, what="errors are counted")
        until(lambda: asked("bypass") > 0, seconds=PATIENCE_SECONDS, what="Redis is left alone")
        until(
            lambda: total(port, "slipway_cache_breaker_open") == 1, seconds=PATIENCE_SECONDS, what="it shows"
        )
        time.sleep(DOWN_SECONDS)
        redis_server.start()
        misses = asked("miss")
        until(lambda: asked("miss") > misses + 100, seconds=PATIENCE_SECONDS, what="Redis is asked again")
        until(lambda: total(port, "slipway_cache_breaker_open") == 0, seconds=PATIENCE_SECONDS, what="closed")
    assert (load.refusals, load.unanswered) == ([], [])


def test_postgres_gets_every_answer_once_though_it_was_down_for_a_while(
    start_service: StartService, postgres: StoppablePostgres
) -> None:
    service = start_service(database_url=postgres.url)
    with Load(service.api_port, service.token(), any_row, pause_seconds=PAUSE_SECONDS) as load:
        until(
            lambda: (
                total(service.agent_metrics_port, "slipway_agent_records_total", result="committed") > 100
            ),
            seconds=PATIENCE_SECONDS,
            what="rows arrive",
        )
        postgres.stop()
        start = len(load.answers)
        until(
            lambda: total(service.agent_metrics_port, "slipway_agent_ship_failures_total") > 0,
            seconds=PATIENCE_SECONDS,
            what="failed attempts are counted",
        )
        time.sleep(DOWN_SECONDS)
        assert len(load.answers) > start
        postgres.start()
        time.sleep(1)
    assert (load.refusals, load.unanswered) == ([], [])
    wait_until_shipped(service.spool)
    assert_every_answer_is_logged_once(load, service.database_url)
    assert len(logged(service.database_url)) == len(load.answers)


def test_what_postgres_could_not_take_before_the_end_is_shipped_after_a_restart(
    start_service: StartService, postgres: StoppablePostgres
) -> None:
    service = start_service(database_url=postgres.url)
    service.wait_for_agent()
    postgres.stop()
    with Load(service.api_port, service.token(), iris_row, pause_seconds=PAUSE_SECONDS) as load:
        time.sleep(1)
    assert service.stop() == 0
    assert list(service.spool.glob("*.sealed"))
    postgres.start()
    service.start()
    service.wait_until_ready()
    wait_until_shipped(service.spool)
    assert_every_answer_is_logged_once(load, service.database_url)
    assert len(logged(service.database_url)) == len(load.answers)
