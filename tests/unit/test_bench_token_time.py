"""The bench measures every kind of key. How long anything takes is no test's business."""

from __future__ import annotations

from itertools import islice

from auth.keys import ALGORITHMS
from bench.token_time import arrivals, measure_token_times


def test_every_kind_of_key_is_measured() -> None:
    found = list(measure_token_times(tokens=3, repeats=10, rounds=1))
    assert [time.algorithm for time in found] == list(ALGORITHMS)
    assert all(time.new > 0 and time.signing > 0 and time.refused > 0 for time in found)


def test_a_token_that_comes_again_comes_in_a_new_object() -> None:
    """Or looking it up would cost less than in a worker, where no header's hash is known."""
    headers = [b"Bearer one", b"Bearer two"]
    came = list(islice(arrivals(headers), 4))
    assert came == headers * 2
    assert not {id(header) for header in headers} & {id(header) for header in came}
