"""Redis failing in every way there is: a cache that is away costs latency at most, and never an answer."""

from __future__ import annotations

from tests.faults.dependency import Act, Fault, Limits, endure
from tests.faults.scenario import Scenario
from tests.faults.stand import Stand
from tests.faults.watching import Sign

LIMITS = Limits(first_second=2.0, during=1.2)
ERRORS = Sign(metric="slipway_cache_requests_total", labels={"tier": "redis", "result": "error"})
BYPASSED = Sign(metric="slipway_cache_requests_total", labels={"tier": "redis", "result": "bypass"})
BREAKER = Sign(metric="slipway_cache_breaker_open")
LEFT_ALONE = (
    "Redis is left alone until it answers; every request counts as one of the cache's misses meanwhile"
)


def _scenario(name: str, done: str, breaks: Act, mends: Act) -> Scenario:
    fault = Fault(breaks=breaks, mends=mends, limits=LIMITS, signs=(ERRORS, BYPASSED), breaker=BREAKER)
    return Scenario(
        name=name,
        dependency="Redis",
        done=done,
        behaviour=LEFT_ALONE,
        runbook="SlipwayCacheDown.md",
        run=lambda stand, pace: endure(name, stand, pace, fault),
    )


def _passes(stand: Stand) -> None:
    stand.redis.passes()


SCENARIOS = (
    _scenario("redis-refused", "connections are refused", lambda stand: stand.redis.down(), _passes),
)
