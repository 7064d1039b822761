"""The bench measures every kind of key. How long anything takes is no test's business."""

from __future__ import annotations

from auth.keys import ALGORITHMS
from bench.token_time import measure_token_times


def test_every_kind_of_key_is_measured() -> None:
    found = list(measure_token_times(tokens=3, repeats=10, rounds=1))
    assert [time.algorithm for time in found] == list(ALGORITHMS)
    assert all(time.new > 0 and time.signing > 0 and time.refused > 0 for time in found)
