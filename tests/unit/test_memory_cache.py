"""The in-process cache: least recently used out first, nothing older than its time to live."""

from __future__ import annotations

from serving.adapters.memory_cache import MemoryCache
from serving.outcome import Outcome
from tests.fakes.clock import FakeClock


def outcome(value: float) -> Outcome:
    return Outcome(value)


def test_what_was_put_is_found() -> None:
    cache = MemoryCache[Outcome](max_entries=10)
    cache.put(b"a", outcome(1.0), ttl_seconds=60)
    assert cache.get(b"a") == outcome(1.0)
    assert cache.get(b"b") is None


def test_an_entry_is_forgotten_after_its_time_to_live() -> None:
    clock = FakeClock()
    cache = MemoryCache[Outcome](max_entries=10, clock=clock)
    cache.put(b"a", outcome(1.0), ttl_seconds=60)
    clock.advance(59.9)
    assert cache.get(b"a") is not None
    clock.advance(0.2)
    assert cache.get(b"a") is None
    assert len(cache) == 0


def test_reading_does_not_lengthen_a_life_and_writing_does() -> None:
    clock = FakeClock()
    cache = MemoryCache[Outcome](max_entries=10, clock=clock)
    for name in (b"read", b"written"):
        cache.put(name, outcome(1.0), ttl_seconds=60)
    clock.advance(40)
    cache.get(b"read")
    cache.put(b"written", outcome(2.0), ttl_seconds=60)
    clock.advance(40)
    assert cache.get(b"read") is None
    assert cache.get(b"written") == outcome(2.0)


def test_the_least_recently_used_entry_leaves_first() -> None:
    cache = MemoryCache[Outcome](max_entries=3)
    for name in (b"a", b"b", b"c"):
        cache.put(name, outcome(1.0), ttl_seconds=60)
    cache.get(b"a")
    cache.put(b"d", outcome(1.0), ttl_seconds=60)
    assert [name for name in (b"a", b"b", b"c", b"d") if cache.get(name)] == [b"a", b"c", b"d"]


def test_it_never_holds_more_than_its_limit() -> None:
    cache = MemoryCache[Outcome](max_entries=5)
    for number in range(1000):
        cache.put(b"%d" % number, outcome(number), ttl_seconds=60)
    assert len(cache) == 5


def test_a_limit_of_zero_turns_it_off() -> None:
    cache = MemoryCache[Outcome](max_entries=0)
    cache.put(b"a", outcome(1.0), ttl_seconds=60)
    assert cache.get(b"a") is None
