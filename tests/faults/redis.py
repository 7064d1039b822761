"""Redis failing in every way there is: a cache that is away costs latency at most, and never an answer."""

from __future__ import annotations

from collections.abc import Sequence

from redis import Redis

from tests.faults.bars import Limits
from tests.faults.dependency import Act, Fault, endure
from tests.faults.scenario import Scenario
from tests.faults.stand import Stand
from tests.faults.watching import Sign

LIMITS = Limits(first_second=2.0, during=1.2)
BREAKER = Sign(metric="slipway_cache_breaker_open")
LEFT_ALONE = "redis left alone"
RUNBOOK = "SlipwayCacheDown.md"
PASSWORD = "made-for-this-scenario"
POISONS = (
    b"\x00\xff garbage",
    b'{"prediction": "set',
    b"x" * 100_000,
    b'{"prediction": 5.0, "lower": 4.0, "upper": 6.0}',  # another version's: a number where there are classes
    b'{"prediction": "setosa", "probabilities": {"setosa": 1.0}}',
    b"\x80\x04\x95\x1c\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94\x8c\x06system\x94\x93\x94.",
)


def _asked(result: str, **labels: str) -> Sign:
    return Sign(metric="slipway_cache_requests_total", labels={"tier": "redis", "result": result, **labels})


ERRORS, BYPASSED = _asked("error"), _asked("bypass")


def _away(name: str, done: str, breaks: Act, mends: Act) -> Scenario:
    """Nobody can speak to it."""
    fault = Fault(
        breaks=breaks,
        mends=mends,
        limits=LIMITS,
        signs=(ERRORS, BYPASSED),
        lines=(LEFT_ALONE,),
        breaker=BREAKER,
    )
    behaviour = (
        "Redis is left alone, and look-ups are misses, until it answers a question that nobody waits for"
    )
    return _scenario(name, done, behaviour, fault)


def _odd(
    name: str,
    done: str,
    behaviour: str,
    fault: tuple[Act, Act],
    signs: Sequence[Sign],
    lines: Sequence[str] = (),
) -> Scenario:
    """It answers, and not as it should; it does so again every second."""
    breaks, mends = fault
    return _scenario(
        name,
        done,
        behaviour,
        Fault(
            breaks=breaks,
            mends=mends,
            again=breaks,
            limits=LIMITS,
            signs=signs,
            lines=lines,
            tells_late=True,  # a look-up that is late is given up, and says nothing about what is there
        ),
    )


def _scenario(name: str, done: str, behaviour: str, fault: Fault) -> Scenario:
    return Scenario(
        name=name,
        dependency="Redis",
        done=done,
        behaviour=behaviour,
        runbook=RUNBOOK,
        run=lambda stand, pace: endure(name, stand, pace, fault),
    )


def _admin(stand: Stand, password: str | None = None) -> Redis:
    return Redis(port=stand.servers.redis.port, password=password)


def _passes(stand: Stand) -> None:
    stand.redis.passes()


def _nothing(stand: Stand) -> None:
    pass


def _full(stand: Stand) -> None:
    with _admin(stand) as redis:
        redis.config_set("maxmemory-policy", "noeviction")
        redis.config_set("maxmemory", 1)


def _roomy(stand: Stand) -> None:
    with _admin(stand) as redis:
        redis.config_set("maxmemory", 0)


def _flushed(stand: Stand) -> None:
    with _admin(stand) as redis:
        redis.flushall()


def _other_password(stand: Stand) -> None:
    with _admin(stand) as redis:
        redis.config_set("requirepass", PASSWORD)
        redis.client_kill_filter(_type="normal", skipme=True)


def _no_password(stand: Stand) -> None:
    with _admin(stand, PASSWORD) as redis:
        redis.config_set("requirepass", "")


def _poisoned(stand: Stand) -> None:
    with _admin(stand) as redis, redis.pipeline(transaction=False) as together:
        for place, key in enumerate(redis.scan_iter("slipway:answer:*", count=1000)):
            together.set(key, POISONS[place % len(POISONS)], keepttl=True)
        together.execute()


SCENARIOS = (
    _away("redis-refused", "connections are refused", lambda stand: stand.redis.down(), _passes),
    _away(
        "redis-stopped",
        "the server is killed, and started again",
        lambda stand: stand.servers.redis.stop(),
        lambda stand: stand.servers.redis.start(),
    ),
    _away(
        "redis-hanging",
        "the server hangs (SIGSTOP)",
        lambda stand: stand.servers.redis.pause(),
        lambda stand: stand.servers.redis.resume(),
    ),
    _away("redis-blackholed", "nothing is heard of it", lambda stand: stand.redis.blackhole(), _passes),
    _away("redis-slow", "each answer takes 200 ms longer", lambda stand: stand.redis.latency(0.2), _passes),
    _away("redis-reset", "each connection is reset", lambda stand: stand.redis.reset(), _passes),
    _away("redis-password", "its password is changed", _other_password, _no_password),
    _odd(
        "redis-full",
        "it is out of memory (noeviction)",
        "what is there is used, what is new is not shared",
        (_full, _roomy),
        (ERRORS,),
        ("redis refuses",),
    ),
    _odd(
        "redis-flushed",
        "FLUSHALL, every second",
        "what was there is computed again",
        (_flushed, _nothing),
        (_asked("miss"),),
    ),
    _odd(
        "redis-poisoned",
        "garbage, truncated, oversized, another version's and pickled values under every key, every second",
        "a value that is no answer of this version is a miss, is counted and is overwritten",
        (_poisoned, _nothing),
        (_asked("poisoned", model="iris"),),
        ("stored answers refused",),
    ),
)
