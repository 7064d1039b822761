"""How long a caller waits, as headers say it."""

from __future__ import annotations

import pytest

from modelkit.errors import InvalidRequest
from serving.overload.deadlines import asked_seconds


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 5.0),
        ({b"x-request-timeout-ms": b"250"}, 0.25),
        ({b"x-request-timeout-ms": b"60000"}, 5.0),
        ({b"x-envoy-expected-rq-timeout-ms": b"1500"}, 1.5),
        ({b"x-envoy-expected-rq-timeout-ms": b"0"}, 5.0),
        ({b"x-envoy-expected-rq-timeout-ms": b"soon"}, 5.0),
        ({b"x-request-timeout-ms": b"800", b"x-envoy-expected-rq-timeout-ms": b"300"}, 0.3),
        ({b"x-request-timeout-ms": b"300", b"x-envoy-expected-rq-timeout-ms": b"800"}, 0.3),
    ],
    ids=["none", "own", "too-long", "envoy", "envoy-unlimited", "envoy-nonsense", "both", "both-own"],
)
def test_the_shorter_holds_and_never_more_than_ours(headers: dict[bytes, bytes], seconds: float) -> None:
    assert asked_seconds(headers, 5.0) == seconds


@pytest.mark.parametrize("given", [b"", b"0", b"-1", b"1.5", b"1s", b"\xb2", b"9" * 40], ids=repr)
def test_a_callers_own_that_cannot_be_understood_is_an_error(given: bytes) -> None:
    with pytest.raises(InvalidRequest):
        asked_seconds({b"x-request-timeout-ms": given}, 5.0)
