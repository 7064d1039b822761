"""Whether a request is within its caller's limit: the question that a prediction asks, answered from this process's memory."""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable
from hashlib import blake2b
from typing import Any

from modelkit.errors import RateLimited
from serving.identity_metrics import IdentityMetrics
from serving.limits.bucket import Bucket
from serving.limits.headers import Fields, answer_fields, refusal_fields
from serving.limits.rates import Rates
from serving.limits.sharing import Sharing

MAX_BUCKETS = 20_000
IDLE_SECONDS = 10.0
UNLIMITED: Any = object()


class RateLimits:
    """Buckets by subject and model. `on` is False while nobody has a limit: then nothing here needs to be asked.

    `used` are the buckets that the store has to hear of; nobody empties it where there is none, so it stays empty then.
    """

    def __init__(
        self,
        rates: Rates,
        metrics: IdentityMetrics,
        sharing: Sharing,
        *,
        max_buckets: int = MAX_BUCKETS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rates, self._metrics, self.sharing = rates, metrics, sharing
        self._max_buckets, self.clock = max_buckets, clock
        self._buckets: dict[tuple[str, str], Bucket | Any] = {}
        self._generation = rates.generation()
        self.on = rates.any()
        self.shares = False
        self.used: list[Bucket] = []

    def admit(self, subject: str, model: str) -> Bucket | None:
        """The caller's bucket, one token less; None where there is no limit. Raises RateLimited."""
        bucket = self._buckets.get((subject, model))
        if bucket is UNLIMITED:
            return None
        now = self.clock()
        if bucket is None:
            bucket = self._made(subject, model, now)
            if bucket is None:
                return None
        if self.shares and not bucket.listed:
            bucket.listed = True
            self.used.append(bucket)
            self.sharing.wake()
        if not bucket.take(now):
            raise self._refusal(bucket, now)
        return bucket

    def charged(self, bucket: Bucket, rows: int) -> Fields:
        """Takes what the rows of an admitted request cost; what to tell the caller about it."""
        if rows > 1:
            bucket.charge(rows - 1)
        return answer_fields(bucket, self.clock())

    def follow_rates(self) -> None:
        """To be called now and then: a changed policy holds from here on."""
        generation = self._rates.generation()
        if generation == self._generation:
            return
        self._generation, self.on = generation, self._rates.any()
        for key, bucket in list(self._buckets.items()):
            rate = self._rates.of(*key)
            if bucket is UNLIMITED or rate is None:
                self._forget(key)
            else:
                bucket.limit(rate)

    def forget_idle(self) -> None:
        """To be called now and then: whoever asks again is as if new."""
        now = self.clock()
        for key, bucket in list(self._buckets.items()):
            if bucket is UNLIMITED or (now - bucket.touched > IDLE_SECONDS and bucket.idle(now)):
                self._forget(key)

    def detach(self) -> None:
        """The store is lost: from now on each worker has its own part of every quota."""
        if not self.sharing.attached:
            return
        now = self.clock()
        self.sharing.attached, self.sharing.since = False, now
        for bucket in (*self._known(), *self.used):
            bucket.detach(now)

    def attach(self, workers: int) -> None:
        """The store is there: what happened without it is told in the coming turns."""
        self.sharing.workers = workers
        if self.sharing.attached:
            return
        self.sharing.attached = True
        for bucket in self._known():
            if bucket.settled():
                bucket.attach()
            elif not bucket.listed:
                bucket.listed = True
                self.used.append(bucket)

    @property
    def size(self) -> int:
        return len(self._buckets)

    def _known(self) -> list[Bucket]:
        return [bucket for bucket in self._buckets.values() if bucket is not UNLIMITED]

    def _made(self, subject: str, model: str, now: float) -> Bucket | None:
        if len(self._buckets) >= self._max_buckets:
            self._forget_oldest()
        rate = self._rates.of(subject, model)
        if rate is None:
            self._buckets[subject, model] = UNLIMITED
            return None
        key = blake2b(f"{model}\0{subject}".encode(), digest_size=16).digest()
        bucket = self._buckets[subject, model] = Bucket(key, model, rate, self.sharing, now)
        return bucket

    def _forget_oldest(self) -> None:
        """A sixteenth at a time. What the store has to hear of those is still told: `used` has them."""

        def age(key: tuple[str, str]) -> float:
            bucket = self._buckets[key]
            return float("-inf") if bucket is UNLIMITED else bucket.touched

        for key in heapq.nsmallest(max(1, self._max_buckets // 16), self._buckets, key=age):
            self._forget(key)

    def _forget(self, key: tuple[str, str]) -> None:
        bucket = self._buckets.pop(key)
        if bucket is not UNLIMITED:
            bucket.forgotten = True

    def _refusal(self, bucket: Bucket, now: float) -> RateLimited:
        self._metrics.rate_limited(bucket.model)
        fields = [(name.decode(), value.decode()) for name, value in refusal_fields(bucket, now)]
        wait = fields[-1][1]
        detail = f"The limit is {bucket.rate:g} rows a second; the next may come in {wait} s"
        return RateLimited(detail, headers=fields)
