"""Shares of what was admitted lately: who has less than others goes first, and nobody alone does."""

from __future__ import annotations

import random

from serving.overload.shares import MOST_CALLERS, Shares


def admitted(**counts: int) -> Shares:
    shares = Shares()
    for caller, count in counts.items():
        for _ in range(count):
            shares.charge(caller)
    return shares


def test_who_was_admitted_less_than_the_others_goes_first() -> None:
    shares = admitted(large=80, small=20)
    assert shares.is_short("small")
    assert not shares.is_short("large")


def test_a_newcomer_goes_first_and_nobody_alone_does() -> None:
    assert admitted(large=1).is_short("new")
    assert not admitted(large=50).is_short("large")
    assert not Shares().is_short("new")


def test_equal_callers_have_no_privilege() -> None:
    shares = admitted(one=50, other=45)
    assert not shares.is_short("one")
    assert not shares.is_short("other")


def test_what_was_long_ago_counts_no_more() -> None:
    shares = admitted(large=100, small=50)
    for _ in range(60):
        shares.fade(0.85)
    assert shares.callers == 0
    assert not shares.is_short("small")


def test_more_callers_than_can_be_remembered_share_what_is_left() -> None:
    shares = Shares()
    for number in range(2 * MOST_CALLERS):
        shares.charge(f"caller-{number}")
    assert shares.callers == MOST_CALLERS


def test_who_asks_for_half_of_his_share_is_never_refused_beside_one_who_asks_for_twenty() -> None:
    """Shares are half of what there is: ten times all of it is asked for by one, and a quarter of it by the other."""
    shares, chance, refused = Shares(), random.Random(7), 0
    for step in range(20_000):
        small = chance.random() < 0.25 / 10.25
        caller = "small" if small else "large"
        room = chance.random() < 1 / 10.25
        if room or shares.is_short(caller):
            shares.charge(caller)
        elif small:
            refused += 1
        if step % 50 == 0:
            shares.fade(0.96)
    assert refused == 0
