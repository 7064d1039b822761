"""What a fault's bars can see: that a service which refuses everybody does not pass for one that bore it."""

from __future__ import annotations

import pytest

from tests.faults.bars import Limits, Times, answers, in_time, latencies
from tests.faults.seen import Sample, Seen

TIMES = Times(broken=110.0, mended=120.0)


def seen(*, status: int = 200, code: str = "", slow_opening: float = 0.01) -> Seen:
    """A request every tenth of a second from 100 to 130; those during the fault are answered as told."""
    samples = []
    for place in range(300):
        at = 100.0 + place / 10
        broken = TIMES.broken <= at < TIMES.mended
        seconds = slow_opening if at < 102 else 0.01
        answered = (status, code) if broken else (200, "")
        samples.append(Sample(at, seconds, answered[0], f"r-{place}", f"p-{place}", answered[1]))
    return Seen(begin=100.0, samples=samples, never_answered=0, contradictions=0)


def broken(of: Seen) -> list[str]:
    """The bars that the short form judges."""
    return [each.bar for each in answers(of, TIMES) if not each.holds and not each.timing]


def test_a_fault_that_nobody_notices_breaks_no_bar() -> None:
    assert broken(seen()) == []


def test_a_service_that_refuses_everybody_for_want_of_room_does_not_bear_a_fault() -> None:
    assert broken(seen(status=503, code="overloaded")) == ["at least 50% are answered during the fault"]


@pytest.mark.parametrize("code", ["log-unavailable", "model-not-ready", "draining", ""])
def test_only_overload_is_want_of_room(code: str) -> None:
    assert "0 failed predictions" in broken(seen(status=503, code=code))


def test_connections_that_open_make_no_bar_softer() -> None:
    found = latencies(seen(slow_opening=5.0), TIMES)
    assert found.before == pytest.approx(10.0)
    assert all(each.holds for each in in_time(found, Limits(first_second=1.0, during=1.0)))
