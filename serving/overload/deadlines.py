"""How long the caller waits for an answer, as he or a proxy says: work that nobody waits for any more is not done.

`X-Request-Timeout-Ms` is the caller's, `x-envoy-expected-rq-timeout-ms` what Envoy tells of its own patience (Istio, Contour and
the gateways made of it send that by themselves); where both are there, the shorter holds. gRPC has a deadline of its own.
"""

from __future__ import annotations

from collections.abc import Mapping

from modelkit.errors import InvalidRequest

CALLERS, ENVOYS = b"x-request-timeout-ms", b"x-envoy-expected-rq-timeout-ms"
MOST_DIGITS = 9


def asked_seconds(headers: Mapping[bytes, bytes], most: float) -> float:
    """Seconds for which the caller waits, `most` at most. Raises InvalidRequest, but not for what a proxy says."""
    given = headers.get(CALLERS)
    if given is not None:
        milliseconds = _milliseconds(given)
        if not milliseconds:
            raise InvalidRequest("X-Request-Timeout-Ms is not a whole number of milliseconds above 0")
        most = min(most, milliseconds / 1000.0)
    given = headers.get(ENVOYS)
    if given is not None and (milliseconds := _milliseconds(given)):  # 0 is Envoy's word for no limit
        most = min(most, milliseconds / 1000.0)
    return most


def _milliseconds(given: bytes) -> int:
    return int(given) if given.isdigit() and len(given) <= MOST_DIGITS else 0
