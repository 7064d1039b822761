"""What an answer says about the caller's limit, as header fields.

`RateLimit` and `RateLimit-Policy` are those of draft-ietf-httpapi-ratelimit-headers-11, where an item is named after the
model; the other three are those of its drafts up to 06, which most clients and gateways read.
"""

from __future__ import annotations

from functools import lru_cache
from math import ceil

from serving.limits.bucket import Bucket

Fields = tuple[tuple[bytes, bytes], ...]
Field = tuple[bytes, bytes]


def answer_fields(bucket: Bucket, now: float) -> Fields:
    """`t` and `RateLimit-Reset` are the seconds until the bucket is full again if nothing is asked."""
    left, most, inflow = bucket.state(now)
    return _fields(bucket, int(left) if left > 0 else 0, ceil((most - left) / inflow) or 1)


def refusal_fields(bucket: Bucket, now: float) -> Fields:
    """Nothing remains, and the window ends when the next request may come, as `Retry-After` says."""
    left, _, inflow = bucket.state(now)
    seconds = max(1, ceil((1.0 - left) / inflow))
    return (*_fields(bucket, 0, seconds), (b"retry-after", b"%d" % seconds))


def _fields(bucket: Bucket, remaining: int, seconds: int) -> Fields:
    policy, limit = _of_the_limit(bucket.model, bucket.rate, bucket.burst)
    return (
        policy,
        (b"ratelimit", f'"{bucket.model}";r={remaining};t={seconds}'.encode()),
        limit,
        (b"ratelimit-remaining", b"%d" % remaining),
        (b"ratelimit-reset", b"%d" % seconds),
    )


@lru_cache(maxsize=1024)
def _of_the_limit(model: str, rate: float, burst: float) -> tuple[Field, Field]:
    window = max(1, ceil(burst / rate))
    policy = f'"{model}";q={int(burst)};w={window}'.encode()
    return (b"ratelimit-policy", policy), (b"ratelimit-limit", b"%d" % burst)
