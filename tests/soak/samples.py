"""What a service's processes hold at a moment: memory, descriptors, threads; and its folders of metrics and of the spool."""

from __future__ import annotations

import os
import threading
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from bench.proc import pss_bytes
from tests.e2e.running_service import RunningService


@dataclass(frozen=True, kw_only=True)
class Held:
    """By one process; its role is `parent`, `worker` or `agent`, and a second worker is another name."""

    name: str
    pid: int
    pss: int
    rss: int
    descriptors: int
    threads: int


@dataclass(frozen=True, kw_only=True)
class Moment:
    """`at` is in seconds since the first."""

    at: float
    processes: tuple[Held, ...]
    metrics_bytes: int
    metrics_files: int
    spool_bytes: int


class Sampler(AbstractContextManager["Sampler"]):
    """Looks every `seconds`, from entry to exit."""

    def __init__(self, service: RunningService, *, seconds: float) -> None:
        self._service, self._seconds = service, seconds
        self._begin = time.monotonic()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look_on, name="sampler", daemon=True)
        self.moments: list[Moment] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        self._thread.join()

    def _look_on(self) -> None:
        while not self._end.wait(self._seconds):
            self.moments.append(self._moment())

    def _moment(self) -> Moment:
        service = self._service
        metrics, spool = _files(service.metrics_folder), _files(service.spool)
        return Moment(
            at=time.monotonic() - self._begin,
            processes=tuple(held(name, pid) for name, pid in _processes(service) if _is_there(pid)),
            metrics_bytes=sum(metrics),
            metrics_files=len(metrics),
            spool_bytes=sum(spool),
        )


def held(name: str, pid: int) -> Held:
    folder = Path("/proc") / str(pid)
    return Held(
        name=name,
        pid=pid,
        pss=pss_bytes(pid),
        rss=int((folder / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE"),
        descriptors=len(list((folder / "fd").iterdir())),
        threads=len(list((folder / "task").iterdir())),
    )


def _processes(service: RunningService) -> list[tuple[str, int]]:
    workers = [(f"worker {number}", pid) for number, pid in enumerate(sorted(service.workers), 1)]
    return [("parent", service.parent), *workers, *(("agent", pid) for pid in service.agents)]


def _is_there(pid: int) -> bool:
    return (Path("/proc") / str(pid)).exists()


def _files(folder: Path) -> list[int]:
    sizes = []
    for path in folder.glob("*"):
        try:
            sizes.append(path.stat().st_size)
        except FileNotFoundError:  # shipped meanwhile
            continue
    return sizes
