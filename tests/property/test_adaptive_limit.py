"""The adaptive limit whatever it is told: it stays within its bounds, and what it tolerates never falls below the setting."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from serving.overload.limit import AdaptiveLimit, Bounds, Window

FRACTIONS = st.floats(0.0, 1.0)
COUNTS = st.integers(0, 100_000)
SECONDS = st.floats(0.0, 100.0)
WINDOWS = st.builds(
    Window,
    seconds=st.floats(0.2, 60.0),
    busy=FRACTIONS,
    cpu_seconds=SECONDS,
    answered=COUNTS,
    refused=COUNTS,
    latency=SECONDS,
    in_progress=st.floats(0.0, 10_000.0),
    rows_each=st.just(0.0) | st.floats(1.0, 1000.0),
    rows_waited=st.floats(1.0, 1000.0),
    starved=SECONDS,
)
BOUNDS = st.builds(Bounds, floor=st.integers(1, 64), cap=st.integers(64, 4096), seconds=st.floats(0.001, 5.0))


@given(BOUNDS, st.lists(WINDOWS, max_size=20))
def test_it_stays_within_its_bounds(bounds: Bounds, windows: list[Window]) -> None:
    limit = AdaptiveLimit(bounds)
    for window in windows:
        limit.observe(window)
        assert bounds.floor <= limit.value <= bounds.cap
        assert math.isfinite(limit.tolerated)
        assert limit.tolerated >= bounds.seconds


@given(BOUNDS, st.lists(WINDOWS, max_size=10))
def test_an_idle_loop_opens_up_again_whatever_was_before(bounds: Bounds, windows: list[Window]) -> None:
    """Somebody is refused although there is time to spare: after a while nobody is."""
    limit = AdaptiveLimit(bounds)
    for window in windows:
        limit.observe(window)
    idle = Window(0.25, 0.1, 0.0, answered=10, refused=5, latency=0.05, in_progress=bounds.cap)
    for _ in range(60):
        limit.observe(idle)
    assert limit.value == bounds.cap
