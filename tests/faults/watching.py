"""What an operator would have seen: metrics looked at all the time, and the lines that were logged meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import httpx

from tests.e2e.running_service import RunningService
from tests.e2e.scraped import scrape

LOOK_SECONDS = 0.25


@dataclass(frozen=True, kw_only=True)
class Sign:
    """A metric that tells of a fault: a counter that grows, or a gauge that leaves 0. `agent`: on the agent's port."""

    metric: str
    labels: dict[str, str] = field(default_factory=dict)
    agent: bool = False

    @property
    def text(self) -> str:
        labels = ",".join(f'{name}="{value}"' for name, value in self.labels.items())
        return f"{self.metric}{{{labels}}}" if labels else self.metric


@dataclass(frozen=True, kw_only=True)
class Look:
    """The signs' values at one moment of the monotonic clock."""

    at: float
    values: Sequence[float]


class Watch(AbstractContextManager["Watch"]):
    """Looks from entry to exit; a port that does not answer is not looked at."""

    def __init__(self, service: RunningService, signs: Sequence[Sign]) -> None:
        self._service, self.signs = service, signs
        self.looks: list[Look] = []
        self._log = service.folder / "service.log"
        self._read_from = self._log.stat().st_size
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look_on, name="watch", daemon=True)

    def __enter__(self) -> Self:
        self._look()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        self._thread.join()
        self._look()

    def highest(self, sign: Sign) -> tuple[float, float]:
        """What it was at first and at most."""
        place = self.signs.index(sign)
        values = [look.values[place] for look in self.looks]
        return (values[0], max(values)) if values else (0.0, 0.0)

    def grown(self, sign: Sign) -> float:
        """How much was counted."""
        first, most = self.highest(sign)
        return most - first

    def first_at(self, sign: Sign, value: float, since: float) -> float | None:
        """Seconds after `since` at which a look first had this value."""
        place = self.signs.index(sign)
        found = [look.at for look in self.looks if look.at >= since and look.values[place] == value]
        return found[0] - since if found else None

    def lines(self, wanted: Sequence[str]) -> list[str]:
        """The first line, since this watch was made, with each of the wanted texts."""
        with self._log.open("rb") as log:
            log.seek(self._read_from)
            lines = log.read().decode(errors="replace").splitlines()
        found = (next((line for line in lines if text in line), None) for text in wanted)
        return [line for line in found if line is not None]

    def _look_on(self) -> None:
        while not self._end.wait(LOOK_SECONDS):
            self._look()

    def _look(self) -> None:
        try:
            values = [self._value(sign) for sign in self.signs]
        except httpx.HTTPError:
            return
        self.looks.append(Look(at=time.monotonic(), values=values))

    def _value(self, sign: Sign) -> float:
        port = self._service.agent_metrics_port if sign.agent else self._service.metrics_port
        samples = (sample for family in scrape(port) for sample in family.samples)
        wanted = sign.labels.items()
        return sum(
            each.value for each in samples if each.name == sign.metric and wanted <= each.labels.items()
        )
