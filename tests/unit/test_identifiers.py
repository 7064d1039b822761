"""Identifiers: ULIDs that are unique over generators and sort by time."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

from serving.identifiers import Identifiers
from tests.fakes.clock import FakeClock

ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def test_an_identifier_is_a_ulid() -> None:
    new_id = Identifiers()
    assert all(ULID.fullmatch(new_id()) for _ in range(1000))


def test_the_first_ten_letters_are_the_millisecond() -> None:
    text = Identifiers(FakeClock(1_800_000_000.123))()
    milliseconds = 0
    for letter in text[:10]:
        milliseconds = milliseconds * 32 + ALPHABET.index(letter)
    assert milliseconds == 1_800_000_000_123


def test_a_hundred_thousand_identifiers_of_two_generators_are_all_different() -> None:
    clock = FakeClock()
    generators = Identifiers(clock), Identifiers(clock)
    made = {generators[turn % 2]() for turn in range(100_000)}
    assert len(made) == 100_000


def test_identifiers_of_generators_in_threads_are_all_different() -> None:
    def some(_: int) -> list[str]:
        new_id = Identifiers()
        return [new_id() for _ in range(2000)]

    with ThreadPoolExecutor(4) as pool:
        made = [text for texts in pool.map(some, range(8)) for text in texts]
    assert len(set(made)) == len(made)


def test_identifiers_sort_by_time_over_all_generators() -> None:
    clock = FakeClock()
    made = []
    for turn in range(500):
        clock.advance(0.002 if turn % 3 else 3600)
        made.append(Identifiers(clock)())
    assert made == sorted(made)


def test_the_counter_wraps_without_growing_the_identifier() -> None:
    new_id = Identifiers(FakeClock())
    new_id._counter = (1 << 40) - 2
    made = [new_id() for _ in range(4)]
    assert len(set(made)) == 4
    assert {len(text) for text in made} == {26}
