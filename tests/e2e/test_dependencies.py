"""A PostgreSQL that is away when the service ends. What happens while requests are under way is in `tests/faults`."""

from __future__ import annotations

import time

from tests.e2e.conftest import StartService
from tests.e2e.load import Load
from tests.e2e.logged_rows import assert_every_answer_is_logged_once, logged, wait_until_shipped
from tests.e2e.rows import iris_row
from tests.e2e.stoppable_postgres import StoppablePostgres

PAUSE_SECONDS = 0.02


def test_what_postgres_could_not_take_before_the_end_is_shipped_after_a_restart(
    start_service: StartService,
) -> None:
    postgres = StoppablePostgres()
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
