"""The last worker killed in a container; kills at random points under load are `tests/faults/kills.py`."""

from __future__ import annotations

import random

from tests.e2e.conftest import StartService
from tests.e2e.logged_rows import logged, wait_until_shipped
from tests.e2e.rows import iris_row

SEED = 20220401


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
