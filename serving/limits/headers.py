"""What an answer says about the caller's limit, as header fields.

`RateLimit` and `RateLimit-Policy` are those of draft-ietf-httpapi-ratelimit-headers-11, where an item is named after the
model; the other three are those of its drafts up to 06, which most clients and gateways read.
"""

from __future__ import annotations

import math

from serving.limits.bucket import Bucket

Fields = tuple[tuple[bytes, bytes], ...]


def answer_fields(bucket: Bucket, now: float) -> Fields:
    """`t` and `RateLimit-Reset` are the seconds until the bucket is full again if nothing is asked."""
    return _fields(bucket, bucket.remaining(now), bucket.seconds_until(bucket.capacity, now))


def refusal_fields(bucket: Bucket, now: float) -> Fields:
    """Nothing remains, and the window ends when the next request may come, as `Retry-After` says."""
    seconds = bucket.seconds_until(1.0, now)
    return (*_fields(bucket, 0, seconds), (b"retry-after", b"%d" % _whole(seconds)))


def _whole(seconds: float) -> int:
    return max(1, math.ceil(seconds))


def _fields(bucket: Bucket, remaining: int, seconds: float) -> Fields:
    name, burst, window = bucket.model.encode(), int(bucket.burst), _whole(bucket.burst / bucket.rate)
    reset = b"%d" % _whole(seconds)
    return (
        (b"ratelimit-policy", b'"%b";q=%d;w=%d' % (name, burst, window)),
        (b"ratelimit", b'"%b";r=%d;t=%b' % (name, remaining, reset)),
        (b"ratelimit-limit", b"%d" % burst),
        (b"ratelimit-remaining", b"%d" % remaining),
        (b"ratelimit-reset", reset),
    )
