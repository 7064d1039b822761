"""Redis hanging, dying and coming back under requests: invisible to callers, visible in metrics."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.front_service import FLOWER, FrontService
from tests.prediction_records import figure
from tests.redis_server import RedisServer

PATIENCE_SECONDS = 20.0
POISONS = (
    b"\x80\x04N.",
    b"",
    b"{",
    b'{"prediction": "\xff"}',
    b"x" * 100_000,
    b'{"prediction": 5.0, "lower": 4.0, "upper": 6.0}',
    b'{"prediction": "setosa"}',
    b'{"prediction": "rosa", "probabilities": {"setosa": 0.5, "versicolor": 0.25, "virginica": 0.25}}',
    b'{"prediction": "setosa", "probabilities": {"setosa": 1.0}}',
)


@pytest.fixture
def service(tmp_path: Path, redis_server: RedisServer) -> Iterator[FrontService]:
    """Without an in-process cache, so that every repeated row is asked of Redis."""
    made = FrontService(tmp_path, redis_url=redis_server.url, redis_timeout_seconds=0.3, cache_entries=0)
    yield made
    made.close()


def flowers(start: int, count: int = 20) -> list[dict[str, Any]]:
    return [{**FLOWER, "sepal_length": 1 + number / 100} for number in range(start, start + count)]


def ask_all(
    service: FrontService, rows: Sequence[dict[str, Any]], meanwhile: Callable[[], None] | None = None
) -> list[httpx.Response]:
    """All rows at once; `meanwhile` happens when they are on their way."""
    headers = service.token()

    async def scenario() -> list[httpx.Response]:
        asked = [
            asyncio.ensure_future(service.client.post("/predict/iris", json=row, headers=headers))
            for row in rows
        ]
        if meanwhile is not None:
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            meanwhile()
        return list(await asyncio.gather(*asked))

    return service.runner.run(scenario())


def assert_right(
    service: FrontService, rows: Sequence[dict[str, Any]], answers: list[httpx.Response]
) -> None:
    """Every row has the answer of the model to this very row."""
    model = service.worker.board.current("iris")
    assert [answer.status_code for answer in answers] == [200] * len(rows)
    for row, answer in zip(rows, answers, strict=True):
        (outcome,) = model.predict([model.reader.from_object(row)])
        assert answer.json()["probabilities"] == outcome.probabilities


def hits(answers: list[httpx.Response]) -> int:
    return sum(answer.headers["x-cache"] == "hit" for answer in answers)


def redis_asked(service: FrontService, result: str) -> float:
    service.worker.metrics.fold()
    labels = {"model": "*", "tier": "redis", "result": result}
    return figure(service.registry, "slipway_cache_requests_total", **labels)


def breaker(service: FrontService) -> float:
    return figure(service.registry, "slipway_cache_breaker_open")


def until_it_hits(service: FrontService, rows: Sequence[dict[str, Any]]) -> list[httpx.Response]:
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while True:
        answers = ask_all(service, rows)
        assert_right(service, rows, answers)
        if hits(answers) == len(rows):
            return answers
        assert time.monotonic() < give_up_at, "Redis is not used again"
        service.runner.run(asyncio.sleep(0.05))


def until_the_breaker_opens(service: FrontService, start: int) -> None:
    for turn in range(10):
        rows = flowers(start + 20 * turn)
        assert_right(service, rows, ask_all(service, rows))
        if breaker(service):
            return
    pytest.fail("the breaker stays closed")


def test_a_redis_that_hangs_costs_no_answer_and_is_used_again_when_it_goes_on(
    service: FrontService, redis_server: RedisServer
) -> None:
    known = flowers(0)
    until_it_hits(service, known)

    redis_server.pause()
    answers = ask_all(service, known)
    assert_right(service, known, answers)
    assert hits(answers) == 0
    until_the_breaker_opens(service, 100)
    assert redis_asked(service, "error") >= 3
    rows = flowers(400)
    assert_right(service, rows, ask_all(service, rows))
    assert redis_asked(service, "bypass") >= len(rows)

    redis_server.resume()
    # Whatever Redis still had to say to questions of before the pause answers no question of now.
    until_it_hits(service, [*known, *flowers(400)])
    assert breaker(service) == 0


def test_a_redis_that_is_killed_under_requests_costs_no_answer_and_is_used_again_after_its_restart(
    service: FrontService, redis_server: RedisServer
) -> None:
    known = flowers(0)
    until_it_hits(service, known)

    rows = [*known, *flowers(100, 80)]
    assert_right(service, rows, ask_all(service, rows, redis_server.stop))
    until_the_breaker_opens(service, 200)
    assert redis_asked(service, "error") >= 3

    redis_server.start()
    until_it_hits(service, known)
    assert breaker(service) == 0


def test_everything_answered_during_an_outage_is_in_the_log(
    service: FrontService, redis_server: RedisServer
) -> None:
    redis_server.stop()
    rows = flowers(0, 100)
    answers = ask_all(service, rows)
    assert {answer.json()["prediction_id"] for answer in answers} == {
        record.prediction_id for record in service.logged()
    }


def test_a_service_starts_and_stops_without_its_redis(tmp_path: Path, redis_server: RedisServer) -> None:
    redis_server.stop()
    service = FrontService(tmp_path, redis_url=redis_server.url)
    rows = flowers(0)
    assert_right(service, rows, ask_all(service, rows))
    assert service.ask("GET", "/readyz").status_code == 200
    service.close()


def test_what_somebody_else_put_into_redis_is_not_believed(
    service: FrontService, redis_server: RedisServer
) -> None:
    from redis import Redis

    known = flowers(0)
    until_it_hits(service, known)
    with Redis.from_url(redis_server.url) as client:
        keys = list(client.scan_iter("*"))
        assert len(keys) == len(known)
        for place, key in enumerate(keys):
            client.set(key, POISONS[place % len(POISONS)])
    answers = ask_all(service, known)
    assert_right(service, known, answers)
    assert hits(answers) == 0
    service.worker.metrics.fold()
    labels = {"model": "iris", "tier": "redis", "result": "poisoned"}
    assert figure(service.registry, "slipway_cache_requests_total", **labels) == len(known)
    until_it_hits(service, known)
