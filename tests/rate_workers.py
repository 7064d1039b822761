"""Several workers' limiters over one store and one clock, all of them the test's."""

from __future__ import annotations

import asyncio
import math

from prometheus_client import CollectorRegistry

from auth.policy import Rate
from modelkit.errors import RateLimited
from serving.identity_metrics import IdentityMetrics
from serving.limits.leasing import Leasing
from serving.limits.limiter import RateLimits
from serving.limits.sharing import Sharing
from tests.fakes.quota_store import MemoryQuotaStore, QuotaHall


class FixedRates:
    """Rates: `rules` by subject and model, `default` for everybody else. A change is noticed."""

    def __init__(self, default: Rate | None) -> None:
        self.default = default
        self.rules: dict[tuple[str, str], Rate] = {}
        self.changes = 0

    def generation(self) -> int:
        return self.changes

    def any(self) -> bool:
        return self.default is not None or bool(self.rules)

    def of(self, subject: str, model: str) -> Rate | None:
        return self.rules.get((subject, model), self.default)


class RateWorkers:
    """`ask` says whether one worker admits a request. `now` is moved by hand; so are the workers' turns."""

    def __init__(self, count: int, rate: Rate | None, *, store: bool = True, max_buckets: int = 100) -> None:
        self.now = 1000.0
        self.rates = FixedRates(rate)
        self.hall = QuotaHall(lambda: self.now)
        self.stores = [MemoryQuotaStore(self.hall, f"worker-{number}") for number in range(count)]
        self.registries = [CollectorRegistry() for _ in range(count)]
        self.metrics = [IdentityMetrics(registry) for registry in self.registries]
        since = self.now if store else -math.inf
        self.limits = [
            RateLimits(
                self.rates,
                metrics,
                Sharing(divisor=count, since=since),
                max_buckets=max_buckets,
                clock=lambda: self.now,
            )
            for metrics in self.metrics
        ]
        self.leasings = [self._leasing(number) if store else None for number in range(count)]
        self._runner = asyncio.Runner()

    def ask(self, worker: int = 0, rows: int = 1, *, subject: str = "ada", model: str = "iris") -> bool:
        limits = self.limits[worker]
        try:
            bucket = limits.admit(subject, model)
        except RateLimited:
            return False
        if bucket is not None:
            limits.charged(bucket, rows)
        return True

    def asked(self, times: int, worker: int = 0, rows: int = 1) -> int:
        """How many of so many requests are admitted."""
        return sum(self.ask(worker, rows) for _ in range(times))

    def turn(self, *workers: int) -> None:
        for worker in workers or range(len(self.limits)):
            leasing = self.leasings[worker]
            assert leasing is not None
            self._runner.run(leasing.step())

    def leave(self, worker: int) -> None:
        leasing = self.leasings[worker]
        assert leasing is not None
        self._runner.run(leasing.close())

    def close(self) -> None:
        self._runner.close()

    def _leasing(self, number: int) -> Leasing:
        async def opened() -> MemoryQuotaStore:
            return self.stores[number]

        return Leasing(self.limits[number], self.metrics[number], opened)
