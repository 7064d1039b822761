"""The answer cache: two tiers, one call a turn, and no trust in what the shared tier holds."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from serving.adapters.memory_cache import MemoryCache
from serving.cache import MAX_VALUE_BYTES, AnswerCache
from serving.metrics import Metrics
from serving.outcome import Outcome, encode_outcome
from tests.fakes.remote_cache import MemoryRemoteCache
from tests.prediction_records import figure

SAID = Outcome(23.5)
LABEL = Outcome("setosa", probabilities={"setosa": 0.75, "virginica": 0.25})
POISON = {
    "not JSON": b"{",
    "nothing": b"",
    "another shape": b'["prediction"]',
    "no prediction": b'{"lower": 1.0}',
    "a wrong type": b'{"prediction": [1]}',
    "no number": b'{"prediction": NaN}',
    "beyond all numbers": b'{"prediction": 1e999}',
    "not UTF-8": b'{"prediction": "\xff"}',
    "a lone surrogate": b'{"prediction": "\\ud800"}',
    "a pickle": pickle.dumps({"prediction": 1.0}),
    "a pickle that would run": b"cos\nsystem\n(S'true'\ntR.",
    "nested deeply": b'{"x":' + b"[" * 20_000 + b"]" * 20_000 + b"}",
    "too large": b'{"prediction": 1.0, "x": "' + b"x" * MAX_VALUE_BYTES + b'"}',
}


class Tiers:
    """A cache over a shared tier in memory, with its figures."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.metrics = Metrics(self.registry)
        self.memory, self.remote = MemoryCache[Outcome](max_entries=100), MemoryRemoteCache()
        self.cache = AnswerCache(self.memory, self.remote, self.metrics)

    def asked(self, result: str, tier: str = "redis") -> float:
        self.metrics.fold()
        return figure(self.registry, "slipway_cache_requests_total", model="iris", tier=tier, result=result)


def run(scenario: Callable[[Tiers], Coroutine[Any, Any, None]]) -> Tiers:
    async def made() -> Tiers:
        tiers = Tiers()
        await scenario(tiers)
        await tiers.cache.close()
        return tiers

    return asyncio.run(made())


@pytest.mark.parametrize("outcome", [SAID, LABEL, Outcome(1.5, lower=1.0, upper=2.0)])
def test_an_outcome_stored_by_one_process_is_found_by_another(outcome: Outcome) -> None:
    async def scenario(tiers: Tiers) -> None:
        tiers.cache.store(b"key", outcome, ttl_seconds=60)
        await tiers.cache.close()
        other = AnswerCache(MemoryCache[Outcome](max_entries=10), tiers.remote, tiers.metrics)
        assert other.local("iris", b"key") is None
        assert await other.remote("iris", b"key", ttl_seconds=60) == outcome
        assert other.local("iris", b"key") == outcome

    tiers = run(scenario)
    assert tiers.remote.lives == {b"key": 60}
    assert (tiers.asked("hit"), tiers.asked("hit", "memory"), tiers.asked("miss", "memory")) == (1, 1, 1)


def test_look_ups_of_one_turn_are_one_call_and_so_are_its_writes() -> None:
    async def scenario(tiers: Tiers) -> None:
        keys = [b"%d" % number for number in range(20)]
        found = await asyncio.gather(*(tiers.cache.remote("iris", key, ttl_seconds=60) for key in keys))
        assert found == [None] * 20
        for key in keys:
            tiers.cache.store(key, SAID, ttl_seconds=60)

    tiers = run(scenario)
    assert [len(keys) for keys in tiers.remote.asked] == [20]
    assert [len(entries) for entries in tiers.remote.stored] == [20]
    assert tiers.asked("miss") == 20


def test_writes_of_different_lives_are_kept_apart() -> None:
    async def scenario(tiers: Tiers) -> None:
        tiers.cache.store(b"short", SAID, ttl_seconds=60)
        tiers.cache.store(b"long", SAID, ttl_seconds=3600)

    assert run(scenario).remote.lives == {b"short": 60, b"long": 3600}


@pytest.mark.parametrize("value", POISON.values(), ids=POISON.keys())
def test_a_poisoned_value_is_a_miss_that_gets_overwritten(value: bytes) -> None:
    async def scenario(tiers: Tiers) -> None:
        tiers.remote.values[b"key"] = value
        assert await tiers.cache.remote("iris", b"key", ttl_seconds=60) is None
        assert tiers.cache.local("iris", b"key") is None
        tiers.cache.store(b"key", SAID, ttl_seconds=60)

    tiers = run(scenario)
    assert tiers.remote.values[b"key"] == encode_outcome(SAID)
    assert tiers.asked("poisoned") == 1


def test_poisoned_values_are_told_of_once_for_each_model_and_not_with_every_look_up() -> None:
    async def scenario(tiers: Tiers) -> None:
        tiers.remote.values[b"key"] = POISON["not JSON"]
        for model in ("iris", "housing", "iris"):
            await tiers.cache.remote(model, b"key", ttl_seconds=60)

    with capture_logs() as lines:
        run(scenario)
    assert [(line["event"], line["model"]) for line in lines] == [
        ("stored answers refused", "iris"),
        ("stored answers refused", "housing"),
    ]


def test_one_poisoned_value_does_not_harm_the_others_of_its_turn() -> None:
    async def scenario(tiers: Tiers) -> None:
        tiers.remote.values = {b"good": encode_outcome(SAID), b"bad": POISON["not UTF-8"]}
        found = await asyncio.gather(
            *(tiers.cache.remote("iris", key, ttl_seconds=60) for key in (b"bad", b"good"))
        )
        assert found == [None, SAID]

    run(scenario)


def test_a_shared_tier_that_is_down_is_a_miss_and_the_process_still_remembers() -> None:
    async def scenario(tiers: Tiers) -> None:
        tiers.remote.down = True
        assert await tiers.cache.remote("iris", b"key", ttl_seconds=60) is None
        tiers.cache.store(b"key", SAID, ttl_seconds=60)
        assert tiers.cache.local("iris", b"key") == SAID

    assert run(scenario).remote.values == {}


def test_without_a_shared_tier_nothing_is_scheduled() -> None:
    cache = AnswerCache(MemoryCache[Outcome](max_entries=10), None, Metrics(CollectorRegistry()))
    assert not cache.has_remote
    cache.store(b"key", SAID, ttl_seconds=60)
    assert cache.local("iris", b"key") == SAID


def test_closing_writes_what_is_left_and_closes_the_shared_tier() -> None:
    async def scenario(tiers: Tiers) -> None:
        tiers.cache.store(b"key", SAID, ttl_seconds=60)

    tiers = run(scenario)
    assert tiers.remote.values == {b"key": encode_outcome(SAID)}
    assert tiers.remote.closed
