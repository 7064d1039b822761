"""The service under attack, and how it is: its processes, their memory and descriptors, and what its metrics say."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from records.migrate import upgrade
from serving.http.openapi import openapi_document
from tests.e2e.running_service import RunningService
from tests.e2e.tiny_service import tiny_service
from tests.front_service import CATALOG

MODELS = ("iris", "housing", "food-delivery")
SCOPES = ("predict", "read", "feedback")
LOOK_SECONDS = 0.1
UNLIMITED = {"RATE_LIMIT_PER_SECOND": "1000000", "RATE_LIMIT_BURST": "1000000"}


@dataclass(frozen=True, slots=True)
class Condition:
    """`series` are names and labels of a scrape; `statuses` the answers that the service has counted."""

    workers: tuple[int, ...]
    pss_bytes: int
    descriptors: int
    series: frozenset[str]
    statuses: Mapping[int, float]


@contextmanager
def target(
    folder: Path, *, files: tuple[int, int] | None = None, **settings: str
) -> Iterator[RunningService]:
    upgrade(f"sqlite:///{folder / 'slipway.db'}")
    served = tiny_service(folder, MODELS, **{**UNLIMITED, **settings})
    served.files = files
    with served as service:
        service.wait_for_agent()
        yield service


def condition(service: RunningService) -> Condition:
    workers = tuple(sorted(service.workers))
    text = scraped(service)
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return Condition(
        workers,
        sum(_pss(pid) for pid in workers),
        sum(len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in workers),
        frozenset(line.rsplit(" ", 1)[0] for line in lines),
        _statuses(lines),
    )


@contextmanager
def highest(service: RunningService) -> Iterator[list[int]]:
    """The memory of its workers, looked at again and again until the end of the context."""
    workers, seen, done = sorted(service.workers), [0], threading.Event()

    def look() -> None:
        while not done.wait(LOOK_SECONDS):
            seen.append(sum(_pss(pid) for pid in workers))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        done.set()
        thread.join()


def scraped(service: RunningService) -> str:
    answer = httpx.get(f"http://127.0.0.1:{service.metrics_port}/metrics", timeout=10)
    return answer.raise_for_status().text


def paths() -> list[str]:
    """Every address that the API's description names, with something in the place of what it leaves open."""
    described = openapi_document([CATALOG[name] for name in MODELS])["paths"]
    return sorted(path.replace("{", "").replace("}", "") for path in described)


def _statuses(lines: list[str]) -> dict[int, float]:
    counted: Counter[int] = Counter()
    for line in lines:
        if line.startswith("slipway_http_requests_total{"):
            counted[int(line.split('code="', 1)[1][:3])] += int(float(line.rsplit(" ", 1)[1]))
    return dict(counted)


def _pss(pid: int) -> int:
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return next(int(line.split()[1]) * 1024 for line in rollup.splitlines() if line.startswith("Pss:"))
