"""Trouble that every request meets is told of once in a while."""

from __future__ import annotations

from serving.seldom import QUIET_SECONDS, Seldom
from tests.fakes.clock import FakeClock


def test_trouble_is_told_of_at_once_and_again_a_minute_later() -> None:
    clock = FakeClock()
    seldom = Seldom(clock=clock)
    told = []
    for _ in range(4):
        told.append(seldom.due())
        clock.advance(QUIET_SECONDS / 2)
    assert told == [True, False, True, False]


def test_one_trouble_does_not_hide_another() -> None:
    seldom = Seldom(clock=FakeClock())
    assert [seldom.due(what) for what in ("disk", "cache", "disk")] == [True, True, False]
