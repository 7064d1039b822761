"""Rotation: whatever is done to the file, no replica refuses a token that another one has just signed."""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.key_rotation import KeyRing, Periods
from auth.keys import Key, KeyList

SETTLE, GRACE, LIFE, LAG = 100.0, 2000.0, 900.0, 99.0
PERIODS = Periods(settle_seconds=SETTLE, grace_seconds=GRACE)
START = 10_000.0
A, B, C, D = (Key(kid=kid, algorithm="HS256", private=b"", public=b"") for kid in "ABCD")


def given_keys(*keys: Key, revoked: str = "") -> KeyList:
    return KeyList(keys=keys, revoked=frozenset(revoked))


def started(*keys: Key, age: float = 1e9) -> KeyRing:
    return KeyRing.started(given_keys(*keys), PERIODS, first_seen=START - age, now=START)


def verifies(ring: KeyRing) -> str:
    return "".join(sorted(held.key.kid for held in ring.held()))


def test_the_only_key_signs_at_once_however_young_its_file_is() -> None:
    assert started(A, age=0).signing == A


def test_of_several_the_first_signs_where_their_file_is_old() -> None:
    assert started(B, A).signing == B


def test_of_several_in_a_young_file_the_second_signs_until_the_first_has_settled() -> None:
    ring = started(B, A, age=SETTLE - 10)
    assert ring.signing == A
    assert ring.at(START + 9).signing == A
    assert ring.at(START + 10).signing == B
    assert verifies(ring) == "AB"


def test_a_key_that_replaces_another_in_one_step_settles_before_it_signs() -> None:
    ring = started(A).replaced(given_keys(B), START)
    assert (ring.signing, verifies(ring)) == (A, "AB")
    assert ring.at(START + SETTLE - 1).signing == A
    assert ring.at(START + SETTLE).signing == B


def test_a_key_that_was_taken_away_verifies_through_its_grace_which_begins_when_it_signs_no_more() -> None:
    ring = started(A).replaced(given_keys(B), START)
    end = START + SETTLE + GRACE
    assert verifies(ring.at(end - 1)) == "AB"
    assert verifies(ring.at(end)) == "B"
    assert verifies(ring.at(START + SETTLE).at(end - 1)) == "AB"


def test_a_key_that_did_not_sign_has_its_grace_from_when_it_was_taken_away() -> None:
    ring = started(A, C).replaced(given_keys(A), START)
    assert verifies(ring.at(START + GRACE - 1)) == "AC"
    assert verifies(ring.at(START + GRACE)) == "A"


def test_a_second_key_never_signs_and_is_ready_once_it_is_first() -> None:
    ring = started(A).replaced(given_keys(A, B), START).at(START + 5000)
    assert ring.signing == A
    assert ring.replaced(given_keys(B, A), START + 5000).signing == B


def test_a_revoked_key_is_believed_no_more_and_the_next_one_signs_without_waiting() -> None:
    ring = started(A).replaced(given_keys(B, revoked="A"), START)
    assert (ring.signing, verifies(ring)) == (B, "B")
    again = ring.replaced(given_keys(B, A, revoked="A"), START + 1)
    assert verifies(again) == "B"


def test_a_key_in_its_grace_may_be_revoked_too() -> None:
    ring = started(A).replaced(given_keys(B), START).at(START + SETTLE)
    assert verifies(ring.replaced(given_keys(B, revoked="A"), START + SETTLE)) == "B"


@pytest.mark.parametrize("left", [given_keys(), given_keys(A, revoked="A")], ids=["nothing", "revoked"])
def test_there_is_always_a_key_that_signs(left: KeyList) -> None:
    with pytest.raises(ValueError, match="no key"):
        started(A).replaced(left, START)
    with pytest.raises(ValueError, match="no key"):
        KeyRing.started(left, PERIODS, first_seen=START, now=START)


def test_a_key_that_comes_back_settles_again_unless_it_is_the_one_that_signs() -> None:
    ring = started(A, B).replaced(given_keys(A), START).replaced(given_keys(B, A), START + 1)
    assert ring.signing == A
    assert ring.at(START + 1 + SETTLE).signing == B
    back = started(A).replaced(given_keys(B), START).replaced(given_keys(A), START + 1)
    assert back.at(START + 10 * SETTLE).signing == A


def test_with_neither_settling_nor_grace_a_change_is_a_change() -> None:
    periods = Periods(settle_seconds=0, grace_seconds=0)
    ring = KeyRing.started(given_keys(A), periods, first_seen=START, now=START)
    assert verifies(ring.replaced(given_keys(B), START)) == "B"


@dataclass
class Replica:
    """Reads the file a little later than it is written, at moments of its own, and then as often as it is asked."""

    reads: list[float]
    born: float
    edition: int = -1
    ring: KeyRing | None = None

    def at(self, now: float, editions: list[tuple[float, KeyList]]) -> KeyRing:
        for moment in [*(read for read in self.reads if read <= now)]:
            self.reads.remove(moment)
            self._read(moment, editions)
        assert self.ring is not None
        self.ring = self.ring.at(now)
        return self.ring

    def _read(self, now: float, editions: list[tuple[float, KeyList]]) -> None:
        number = max(n for n, (written, _) in enumerate(editions) if written <= now)
        if self.ring is None:
            self.ring = KeyRing.started(editions[number][1], PERIODS, first_seen=self.born, now=now)
        elif number != self.edition:
            self.ring = self.ring.at(now).replaced(editions[number][1], now)
        self.edition = number


LISTS = st.permutations([A, B, C, D]).flatmap(
    lambda keys: st.integers(1, 3).map(lambda count: given_keys(*keys[:count]))
)


@st.composite
def file_histories(draw: st.DrawFn) -> list[tuple[float, KeyList]]:
    """Any lists of keys, one after the other, each for at least as long as it takes a key to settle everywhere."""
    written, history = START, [(0.0, draw(LISTS))]
    for _ in range(draw(st.integers(1, 5))):
        written += SETTLE + LAG + draw(st.floats(0, 1500))
        history.append((written, draw(LISTS)))
    return history


def reading_moments(seed: int, begin: float, end: float) -> list[float]:
    """The first at `begin`, then at most LAG apart: often, seldom, or both by turns."""
    chance, moments = random.Random(seed), [begin]
    while moments[-1] < end:
        moments.append(moments[-1] + chance.choice([1.0, LAG / 2, LAG]) * chance.uniform(0.5, 1))
    return moments


SEEDS = st.integers(0, 2**32)


@given(data=st.data(), history=file_histories())
def test_no_replica_refuses_a_living_token_of_another_through_any_history_of_the_file(
    data: st.DataObject, history: list[tuple[float, KeyList]]
) -> None:
    end = history[-1][0] + SETTLE + LAG + LIFE
    replicas = [Replica(reads=reading_moments(data.draw(SEEDS), START, end), born=0.0) for _ in range(2)]
    moments = sorted(data.draw(st.lists(st.floats(START, end), min_size=5, max_size=25)))
    tokens: list[tuple[float, Key]] = []
    for now in moments:
        rings = [replica.at(now, history) for replica in replicas]
        tokens = [token for token in tokens if token[0] + LIFE > now] + [
            (now, ring.signing) for ring in rings
        ]
        for _, key in tokens:
            assert all(key.kid in verifies(ring) for ring in rings)


@given(data=st.data(), removal=st.floats(SETTLE + LAG, 5000))
def test_two_lines_let_replicas_start_at_any_time_but_shortly_before_the_old_key_leaves(
    data: st.DataObject, removal: float
) -> None:
    """On Kubernetes the files of a pod are as young as the pod: it signs with the second key at first."""
    written, removed = START + 50, START + 50 + removal
    history = [(0.0, given_keys(A)), (written, given_keys(B, A)), (removed, given_keys(B))]
    births = data.draw(st.lists(st.floats(START, removed - SETTLE - LAG), min_size=1, max_size=3))
    born_after = data.draw(st.floats(removed + LIFE, removed + 2 * LIFE))
    end = removed + 3 * LIFE
    old = Replica(reads=reading_moments(data.draw(SEEDS), START, end), born=0.0)
    young = [
        Replica(reads=reading_moments(data.draw(SEEDS), birth, end), born=birth)
        for birth in [*births, born_after]
    ]
    tokens: list[tuple[float, Key]] = []
    for now in sorted(data.draw(st.lists(st.floats(START, end), min_size=5, max_size=25))):
        rings = [replica.at(now, history) for replica in (old, *young) if replica.born <= now]
        tokens = [token for token in tokens if token[0] + LIFE > now] + [
            (now, ring.signing) for ring in rings
        ]
        for _, key in tokens:
            assert all(key.kid in verifies(ring) for ring in rings)


@given(
    lists=st.lists(
        st.tuples(LISTS, st.frozensets(st.sampled_from("ABCD"), max_size=3), st.floats(0, 3000)), max_size=8
    )
)
def test_in_any_hurry_some_key_signs_verifies_and_is_not_revoked(
    lists: list[tuple[KeyList, frozenset[str], float]],
) -> None:
    ring, now = started(A), START
    for listed, revoked, pause in lists:
        now += pause
        wanted = KeyList(keys=listed.keys, revoked=revoked)
        ring = ring.at(now)
        if all(key.kid in revoked for key in wanted.keys):
            continue
        ring = ring.replaced(wanted, now)
        assert next(ring.held()).key == ring.signing
        assert not revoked & set(verifies(ring))
        assert {key.kid for key in wanted.keys} - revoked <= set(verifies(ring))
    idle = ring.at(now + SETTLE).at(now + SETTLE + GRACE)
    assert verifies(idle) == "".join(sorted(held.key.kid for held in ring.listed))
    assert idle.signing == ring.listed[0].key


@given(moments=st.lists(st.floats(0, 3 * GRACE), max_size=10))
def test_how_often_the_clock_is_looked_at_changes_nothing(moments: list[float]) -> None:
    ring = started(A, D).replaced(given_keys(B, C), START)
    end = START + 3 * GRACE
    stepped = ring
    for before, now in pairwise([0.0, *sorted(moments)]):
        assert before <= now
        stepped = stepped.at(START + now)
        whole = ring.at(START + now)
        assert (stepped.signing, verifies(stepped)) == (whole.signing, verifies(whole))
    assert verifies(stepped.at(end)) == verifies(ring.at(end)) == "BC"
