"""A soak's course: a service that follows a registry, a load, and what happens to everything around it meanwhile."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
from mlflow import MlflowClient

from records.migrate import upgrade
from tests.architecture.source_tree import ROOT
from tests.e2e.running_service import RunningService
from tests.e2e.stoppable_postgres import StoppablePostgres
from tests.faults.seen import Order
from tests.redis_server import RedisServer
from tests.soak.asking import IRIS
from tests.soak.generator import Asked
from tests.soak.samples import Moment, Sampler
from tests.tiny_versions import TinyVersions

END_SECONDS, DOWN_SECONDS = 60.0, 2.0
LOAD_SHARE, PEAK_SECONDS = 0.6, 5.0
CONNECTIONS = 32
FLIPS, RESTARTS = 30, 10  # of an hour, and of whatever is shorter in the same proportion, but at least one


@dataclass(frozen=True, kw_only=True)
class Course:
    """`rate` 0: 60 % of what the service takes at most."""

    minutes: float
    workers: int = 1
    rate: float = 0.0

    @property
    def seconds(self) -> float:
        return self.minutes * 60

    @property
    def sample_seconds(self) -> float:
        return min(10.0, max(0.5, self.seconds / 60))


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    service: RunningService
    redis: RedisServer
    postgres: StoppablePostgres
    registry: MlflowClient


@dataclass(frozen=True, kw_only=True)
class Soaked:
    course: Course
    rate: float
    moments: list[Moment]
    asked: Asked
    events: list[str]


@contextmanager
def surroundings(workers: int) -> Iterator[Surroundings]:
    with ExitStack() as parts:
        folder = Path(parts.enter_context(tempfile.TemporaryDirectory(prefix="slipway-soak-")))
        redis, postgres = RedisServer(), StoppablePostgres()
        redis.start()
        parts.callback(redis.stop)
        upgrade(postgres.url)
        uri = f"sqlite:///{folder / 'mlflow.db'}"
        made = TinyVersions(IRIS, uri, folder)
        registry = MlflowClient(uri, uri)
        for bias in (0.0, 3.0):
            version = made.make(bias=bias, approved=True)
            registry.set_registered_model_alias(IRIS.registry_name, "production", version.number)
        settings = {
            "MODELS": "iris",
            "WORKERS": str(workers),
            "REDIS_URL": redis.url,
            "CACHE_ENTRIES": "5000",  # full long before the warm-up is over
            "EXPLAIN_ENABLED": "false",
            "SERVICE_LOG": "false",
            "MODEL_LOG": "false",
        }
        service = RunningService(folder, tracking_uri=uri, database_url=postgres.url, **settings)
        parts.enter_context(service)
        service.wait_for_agent()
        yield Surroundings(service=service, redis=redis, postgres=postgres, registry=registry)


def soak(course: Course, tell: Callable[[str], None]) -> Soaked:
    with surroundings(course.workers) as around:
        rate = course.rate or LOAD_SHARE * _peak_rate(around.service)
        tell(f"{course.minutes:g} minutes at {rate:.0f} requests a second, {course.workers} workers")
        with tempfile.TemporaryDirectory(prefix="slipway-soak-load-") as folder:
            answer, events = Path(folder) / "asked", []
            with Sampler(around.service, seconds=course.sample_seconds) as sampler:
                load = _start_load(around.service, rate, course.seconds, answer)
                try:
                    events = _happenings(around, course, tell)
                    asked = _asked(load, answer)
                finally:
                    load.kill()
                    load.wait()
    return Soaked(course=course, rate=rate, moments=sampler.moments, asked=asked, events=events)


def _peak_rate(service: RunningService) -> float:
    """Answers a second to the same mixture, over connections that never pause."""
    with tempfile.TemporaryDirectory(prefix="slipway-soak-peak-") as folder:
        answer = Path(folder) / "asked"
        asked = _asked(_start_load(service, 0, PEAK_SECONDS, answer), answer)
    return sum(asked.outcomes.values()) / PEAK_SECONDS


def _asked(load: subprocess.Popen[bytes], answer: Path) -> Asked:
    """Once it has ended."""
    assert load.wait(PEAK_SECONDS + END_SECONDS) == 0, "the load generator failed"
    return msgspec.msgpack.decode(answer.read_bytes(), type=Asked)


def _start_load(
    service: RunningService, rate: float, seconds: float, answer: Path
) -> subprocess.Popen[bytes]:
    order = Order(
        port=service.api_port,
        token=service.token(ttl_seconds=int(seconds) + 3600),
        rate=rate,
        seconds=seconds,
        prefix="soak-",
        answer_file=str(answer),
        connections=CONNECTIONS,
    )
    command = [sys.executable, "-m", "tests.soak.generator"]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(msgspec.json.encode(order))
    process.stdin.close()
    return process


def _happenings(around: Surroundings, course: Course, tell: Callable[[str], None]) -> list[str]:
    """Alias moves and restarts at even distances, none in the last tenth; what happened when."""
    begin, events = time.monotonic(), []
    for at, number, happens in _programme(course):
        time.sleep(max(0.0, begin + at - time.monotonic()))
        events.append(f"{at / 60:.1f} min: {happens(around, number)}")
        tell(events[-1])
    time.sleep(max(0.0, begin + course.seconds - time.monotonic()))
    return events


Happening = Callable[[Surroundings, int], str]


def _programme(course: Course) -> list[tuple[float, int, Happening]]:
    flips, restarts = (max(1, round(count * course.minutes / 60)) for count in (FLIPS, RESTARTS))
    span = 0.9 * course.seconds
    planned: list[tuple[float, int, Happening]] = [
        (span * (number + 0.5) / flips, number, _flip) for number in range(flips)
    ]
    for number in range(2 * restarts):
        act = _restart_redis if number % 2 else _restart_postgres
        planned.append((span * (number + 0.7) / (2 * restarts), number, act))
    return sorted(planned, key=lambda each: each[0])


def _flip(around: Surroundings, number: int) -> str:
    version = "12"[number % 2]
    around.registry.set_registered_model_alias(IRIS.registry_name, "production", version)
    return f"the alias moves to version {version}"


def _restart_redis(around: Surroundings, number: int) -> str:
    around.redis.stop()
    time.sleep(DOWN_SECONDS)
    around.redis.start()
    return "Redis was away for two seconds"


def _restart_postgres(around: Surroundings, number: int) -> str:
    around.postgres.stop()
    time.sleep(DOWN_SECONDS)
    around.postgres.start()
    return "PostgreSQL was away for two seconds"
