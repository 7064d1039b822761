"""A served instance whose spool's disk is full: `strict` says so and keeps nothing back, `available` answers and counts."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.durability.full_disk import SmallDisk, small_disk
from tests.e2e.logged_rows import logged, wait_until_shipped
from tests.e2e.rows import iris_row
from tests.e2e.running_service import RunningService
from tests.e2e.scraped import total
from tests.e2e.tiny_service import tiny_service
from tests.e2e.waiting import until

ASKED = 200
FREE_SECONDS = 10.0
RECORDS = "slipway_prediction_log_records_total"


@pytest.fixture(params=["strict", "available"])
def policy(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def disk_and_service(tmp_path: Path, policy: str) -> Iterator[tuple[SmallDisk, RunningService]]:
    with ExitStack() as parts:
        disk = parts.enter_context(small_disk(tmp_path / "spool"))
        yield disk, parts.enter_context(tiny_service(tmp_path, ["iris"], SPOOL_FULL_POLICY=policy))


def answers(service: RunningService, count: int) -> list[httpx.Response]:
    chance = random.Random(count)
    with service.client() as client:
        return [client.post("/predict/iris", json=iris_row(chance)[1]) for _ in range(count)]


def counted(service: RunningService) -> dict[str, float]:
    return {result: total(service.metrics_port, RECORDS, result=result) for result in ("written", "dropped")}


def test_no_answer_is_given_on_a_full_disk_that_is_neither_kept_nor_counted(
    disk_and_service: tuple[SmallDisk, RunningService], policy: str
) -> None:
    disk, service = disk_and_service
    disk.fill()
    given = answers(service, ASKED)
    kept = [answer.json()["prediction_id"] for answer in given if answer.status_code == 200]
    refused = [answer for answer in given if answer.status_code != 200]
    until(lambda: sum(counted(service).values()) == ASKED, seconds=FREE_SECONDS, what="every row is counted")
    now = counted(service)
    assert now["dropped"] > ASKED / 2
    if policy == "available":
        assert refused == []
    else:
        assert len(refused) == now["dropped"]
        assert {answer.status_code for answer in refused} == {503}
        assert {answer.headers["content-type"] for answer in refused} == {"application/problem+json"}
        assert all(int(answer.headers["retry-after"]) > 0 for answer in refused)
    disk.free()

    def writes_again() -> bool:
        before = counted(service)["written"]
        kept.extend(
            answer.json()["prediction_id"] for answer in answers(service, 1) if answer.status_code == 200
        )
        return counted(service)["written"] > before

    until(writes_again, seconds=FREE_SECONDS, what="records are kept again")
    wait_until_shipped(service.spool)
    end, rows = counted(service), logged(service.database_url)
    assert len(rows) == end["written"]
    missing = set(kept) - set(rows)
    assert len(missing) == (end["dropped"] if policy == "available" else 0)
