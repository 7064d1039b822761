"""Whoever should read the service's standard output may stop, or leave: that costs lines, and never an answer."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.running_service import RunningService
from tests.e2e.scraped import total
from tests.e2e.tiny_service import tiny_service
from tests.e2e.waiting import until
from tests.front_service import FLOWER

REQUESTS = 600  # lines of so many fill a pipe
Pipe = tuple[int, int]


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    reader, writer = os.pipe()
    yield reader, writer
    os.close(writer)


@pytest.fixture
def service(tmp_path: Path, pipe: Pipe) -> Iterator[RunningService]:
    unread = tiny_service(tmp_path, ["iris"], LOG_LEVEL="DEBUG")
    unread.output = pipe[1]
    with unread:
        yield unread


def answers(service: RunningService) -> dict[str, Any]:
    """Statuses of what makes lines of every kind, and of what does not."""
    with service.client() as client:
        bad = {"authorization": "Bearer abc"}
        nobody = {"username": "nobody", "password": "a wrong password"}
        return {
            "prediction": client.post("/predict/iris", json=FLOWER).status_code,
            "bad token": client.post("/predict/iris", json=FLOWER, headers=bad).status_code,
            "login": client.post("/login", json=nobody).status_code,
            "another prediction": client.post("/predict/iris", json=FLOWER).status_code,
            "probe": client.get("/livez").status_code,
        }


EXPECTED = {"prediction": 200, "bad token": 401, "login": 401, "another prediction": 200, "probe": 200}


def test_while_nobody_reads_events_are_told_and_requests_are_answered(
    service: RunningService, pipe: Pipe
) -> None:
    try:
        with service.client() as client:
            for _ in range(REQUESTS):
                assert client.post("/predict/iris", json=FLOWER).status_code == 200
        assert answers(service) == EXPECTED
        assert answers(service) == EXPECTED
    finally:
        os.close(pipe[0])  # so that the service can end


def test_where_the_reader_has_gone_events_fail_and_requests_do_not(
    service: RunningService, pipe: Pipe
) -> None:
    os.close(pipe[0])
    assert answers(service) == EXPECTED
    until(
        lambda: total(service.metrics_port, "slipway_log_lines_total", stream="event", result="failed") >= 2,
        seconds=10,
        what="lines that could not be written are counted",
    )
