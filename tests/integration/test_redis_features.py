"""Features in a real Redis: read as materialised, replaced at once, and degraded as promised while Redis is away."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any

import pandas as pd
import pytest
from pydantic import Field
from redis import Redis
from structlog.testing import capture_logs

from modelkit.definition import FeatureView
from modelkit.redis_features import META_FIELD, row_field, set_name
from modelkit.view_rows import ViewRows
from serving.adapters.guarded_redis import GuardedRedis
from serving.adapters.redis_features import RedisFeatures
from serving.ports import LookedUp
from tests.fakes.clock import FakeClock
from tests.redis_server import RedisServer
from tests.view_catalog.shopper.definition import DEFINITION as SHOPPER
from tests.view_catalog.shopper.definition import Habits
from training.features.feature_set import feature_set
from training.features.feature_stores import feature_store

assert SHOPPER.view is not None
ROWS = ViewRows(SHOPPER.view)
NAME = set_name("habits")


PATIENCE_SECONDS = 10.0


class Narrower(Habits):
    """The same columns, another bound."""

    spent: float = Field(ge=0, le=10)


OTHER = ViewRows(FeatureView(name="habits", key="user_id", row=Narrower))


def put(url: str, spent: dict[str, float], rows: ViewRows = ROWS) -> bool:
    columns: dict[str, Any] = {"user_id": list(spent), "spent": list(spent.values())}
    frame = pd.DataFrame({**columns, "visits": 1, "days_between": 2.0})
    return feature_store(url).replace(feature_set(rows, frame))


class Reader:
    """The adapter of one worker, and its event loop."""

    def __init__(self, url: str, **settings: Any) -> None:
        self.runner, self.clock = asyncio.Runner(), FakeClock()
        self.breaker: list[float] = []
        self.runner.run(self._make(url, settings))

    async def _make(self, url: str, settings: dict[str, Any]) -> None:
        guarded = GuardedRedis(url, purpose="features", timeout_seconds=0.3, on_breaker=self.breaker.append)
        self.features = RedisFeatures(ROWS, guarded, clock=self.clock, **settings)

    def ask(self, *keys: str) -> list[LookedUp]:
        async def scenario() -> list[LookedUp]:
            return list(await self.features.get_many(keys))

        return self.runner.run(scenario())

    def results(self, *keys: str) -> list[str]:
        return [found.result for found in self.ask(*keys)]

    def until_it_hits(self, key: str) -> None:
        """Redis is asked again once it has answered a question that nobody waits for."""
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        while self.results(key) != ["hit"]:
            assert time.monotonic() < give_up_at, "Redis is not used again"
            self.run(partial(asyncio.sleep, 0.05))

    def run(self, scenario: Callable[[], Awaitable[Any]]) -> Any:
        async def wrapped() -> Any:
            return await scenario()

        return self.runner.run(wrapped())

    def close(self) -> None:
        self.run(self.features.close)
        self.runner.close()


@pytest.fixture
def reader(redis_server: RedisServer) -> Iterator[Reader]:
    put(redis_server.url, {"ada": 1.0, "bob": 2.0})
    made = Reader(redis_server.url)
    yield made
    made.close()


def test_known_entities_are_found_and_others_are_unknown(reader: Reader) -> None:
    ada, eve, bob = reader.ask("ada", "eve", "bob")
    assert (ada.numbers, ada.result) == ((1.0, 1.0, 2.0), "hit")
    assert (eve.numbers, eve.result) == (None, "unknown")
    assert bob.numbers == (2.0, 1.0, 2.0)
    assert reader.results("m", "") == ["unknown", "unknown"], "no key reaches the description"


def test_the_source_is_ready_once_redis_has_answered_and_says_how_old_it_is(reader: Reader) -> None:
    assert "not been reached" in reader.features.reason
    reader.run(reader.features.tend)
    assert reader.features.reason == ""
    assert reader.features.meta is not None
    assert reader.features.meta.rows == 2


def test_look_ups_of_one_turn_go_in_one_command(reader: Reader, redis_server: RedisServer) -> None:
    reader.ask("ada")
    with Redis.from_url(redis_server.url) as client:
        client.config_resetstat()

        async def scenario() -> None:
            await asyncio.gather(*(reader.features.get_many(["ada", "bob"]) for _ in range(50)))

        reader.run(scenario)
        assert client.info("commandstats")["cmdstat_hmget"]["calls"] == 1


def test_a_new_set_is_seen_at_once_and_entities_that_are_gone_are_gone(
    reader: Reader, redis_server: RedisServer
) -> None:
    reader.ask("ada", "bob")
    assert put(redis_server.url, {"bob": 3.0, "eve": 4.0})
    assert reader.results("ada", "bob", "eve") == ["unknown", "hit", "hit"]
    assert reader.ask("bob")[0].numbers == (3.0, 1.0, 2.0)
    with Redis.from_url(redis_server.url) as client:
        assert client.keys("*") == [NAME], "nothing of the old set stays"
        assert client.ttl(NAME) == -1


def test_an_equal_set_is_left_alone(reader: Reader, redis_server: RedisServer) -> None:
    assert not put(redis_server.url, {"ada": 1.0, "bob": 2.0})


def test_while_redis_is_down_entities_that_were_seen_keep_their_features(
    reader: Reader, redis_server: RedisServer
) -> None:
    reader.ask("ada")
    redis_server.stop()
    for _ in range(5):  # the breaker opens on the way
        assert reader.results("ada", "bob") == ["stale", "unavailable"]
    assert reader.ask("ada")[0].numbers == (1.0, 1.0, 2.0)
    assert reader.breaker[-1] == 1
    redis_server.start()
    put(redis_server.url, {"ada": 9.0})
    reader.until_it_hits("ada")
    assert reader.ask("ada")[0] == LookedUp((9.0, 1.0, 2.0), "hit")
    assert reader.breaker[-1] == 0


def test_a_redis_that_hangs_costs_its_budget_and_no_more(reader: Reader, redis_server: RedisServer) -> None:
    reader.ask("ada")
    redis_server.pause()
    assert reader.results("ada") == ["stale"]
    redis_server.resume()
    reader.until_it_hits("ada")


def test_an_entity_that_is_known_to_be_gone_is_not_remembered(
    reader: Reader, redis_server: RedisServer
) -> None:
    reader.ask("ada")
    put(redis_server.url, {"bob": 2.0})
    assert reader.results("ada") == ["unknown"]
    redis_server.stop()
    assert reader.results("ada") == ["unavailable"]


def test_a_redis_that_lost_everything_makes_nobody_unknown(reader: Reader, redis_server: RedisServer) -> None:
    reader.ask("ada")
    with Redis.from_url(redis_server.url) as client:
        client.flushall()
    assert reader.results("ada", "bob") == ["stale", "unavailable"]


def test_a_set_for_another_schema_is_not_used(reader: Reader, redis_server: RedisServer) -> None:
    reader.ask("ada")
    put(redis_server.url, {"ada": 5.0, "bob": 6.0}, OTHER)
    assert reader.results("ada", "bob") == ["stale", "unavailable"]
    assert reader.ask("ada")[0].numbers == (1.0, 1.0, 2.0)


@pytest.mark.parametrize("poison", [b"", b"\xff" * 24, ROWS.pack([-1.0, 1.0, 1.0]), b"\x80\x04N."])
def test_a_row_that_is_no_row_of_the_view_is_not_believed(
    reader: Reader, redis_server: RedisServer, poison: bytes
) -> None:
    with Redis.from_url(redis_server.url) as client:
        client.hset(NAME, row_field("ada").decode(), poison)
    assert reader.results("ada", "bob") == ["unavailable", "hit"]


def test_rows_that_are_not_believed_are_told_of_once_and_not_with_every_look_up(
    reader: Reader, redis_server: RedisServer
) -> None:
    with Redis.from_url(redis_server.url) as client:
        client.hset(NAME, row_field("ada").decode(), b"")
    with capture_logs() as lines:
        for _ in range(3):
            assert reader.results("ada") == ["unavailable"]
    assert [line["event"] for line in lines] == ["stored features refused"]


@pytest.mark.parametrize("poison", [b"", b"{", b'{"view": 1}', b"\xff"])
def test_a_description_that_cannot_be_read_is_a_source_that_is_down(
    redis_server: RedisServer, poison: bytes
) -> None:
    put(redis_server.url, {"ada": 1.0})
    with Redis.from_url(redis_server.url) as client:
        client.hset(NAME, META_FIELD.decode(), poison)
    reader = Reader(redis_server.url)
    assert reader.results("ada") == ["unavailable"]
    assert "cannot be read" in reader.features.reason
    reader.close()


def test_what_was_seen_is_kept_for_a_bounded_number_of_entities(redis_server: RedisServer) -> None:
    put(redis_server.url, {"ada": 1.0, "bob": 2.0, "eve": 3.0})
    reader = Reader(redis_server.url, last_seen_rows=2)
    reader.ask("ada", "bob", "eve")
    redis_server.stop()
    assert reader.results("ada", "bob", "eve") == ["unavailable", "stale", "stale"]
    reader.close()


def test_a_set_that_replaces_itself_under_look_ups_is_never_half_there(redis_server: RedisServer) -> None:
    put(redis_server.url, {f"u{number}": 1.0 for number in range(200)})
    reader = Reader(redis_server.url)

    async def scenario() -> None:
        for turn in range(2, 12):
            spent = {f"u{number}": float(turn) for number in range(200)}
            writing = asyncio.create_task(asyncio.to_thread(put, redis_server.url, spent))
            while not writing.done():
                found = await reader.features.get_many([f"u{number}" for number in range(200)])
                assert {each.result for each in found} == {"hit"}
                assert len({each.numbers for each in found}) == 1
            await writing

    reader.run(scenario)
    reader.close()
