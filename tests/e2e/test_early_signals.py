"""Signals at the wrong moment: while the service starts, twice, or to nobody because the parent is gone already."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.processes import children
from tests.e2e.running_service import RunningService
from tests.e2e.tiny_service import tiny_service
from tests.e2e.waiting import until

PATIENCE_SECONDS = 40.0


@pytest.fixture
def service(tmp_path: Path) -> Iterator[RunningService]:
    """Not started yet."""
    made = tiny_service(tmp_path, ["iris"], WORKERS="2")
    yield made
    made.kill(*made.left)


def at_the_first_imports(service: RunningService) -> None:
    time.sleep(0.3)


def at_the_first_worker(service: RunningService) -> None:
    """BentoML's supervisor drops a request to end that comes while it starts workers."""
    until(lambda: children(service.parent), seconds=PATIENCE_SECONDS, what="a worker")


def when_ready(service: RunningService) -> None:
    service.wait_until_ready()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
@pytest.mark.parametrize("moment", [at_the_first_imports, at_the_first_worker])
def test_a_signal_while_it_starts_ends_it_with_0(
    service: RunningService, moment: Callable[[RunningService], None], number: int
) -> None:
    service.start()
    moment(service)
    service.terminate(number)
    assert service.wait() == 0
    until(lambda: service.left == [], seconds=PATIENCE_SECONDS, what="nothing is left")


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_a_second_signal_changes_nothing(service: RunningService, second: int) -> None:
    service.start()
    when_ready(service)
    service.terminate()
    service.terminate(second)
    assert service.wait() == 0
    assert service.left == []
    assert list(service.spool.glob("*.open")) == []


def test_workers_of_a_parent_that_was_killed_while_they_started_leave(service: RunningService) -> None:
    """The kernel tells a worker of its parent's death only once it has asked for that."""
    service.start()
    at_the_first_worker(service)
    service.kill(service.parent)
    until(lambda: service.left == [], seconds=PATIENCE_SECONDS, what="nothing is left")
