"""What a recorded request spent its time on. Nobody's request pays for it: without a recording there is no such object."""

from __future__ import annotations

import time

import msgspec


class Stage(msgspec.Struct, gc=False):
    """Both ends by `time.perf_counter`. Of many rows those of the first and the last; `shared_rows` are those of the
    model's calls, in which rows of other requests may have come along.
    """

    started: float
    ended: float
    rows: int = 0
    shared_rows: int = 0


class Stages:
    """The stages of one request by name, and which model answered it. `parent` is the caller's span, if any."""

    __slots__ = ("_last", "all_cached", "by_name", "model", "parent_id", "rows", "state", "version")

    def __init__(self, arrived: float, parent_id: str = "", state: str = "") -> None:
        self.parent_id, self.state = parent_id, state
        self.by_name: dict[str, Stage] = {}
        self.model = self.version = ""
        self.rows, self.all_cached = 0, False
        self._last = arrived

    def ended(self, name: str) -> None:
        """A stage that began where the one before it ended."""
        now = time.perf_counter()
        self.add(name, self._last, now)
        self._last = now

    def add(self, name: str, started: float, ended: float, *, rows: int = 0, shared_rows: int = 0) -> None:
        """One that may be a part of another, or go on for several rows at a time."""
        stage = self.by_name.get(name)
        if stage is None:
            self.by_name[name] = Stage(started, ended, rows, shared_rows)
            return
        stage.started, stage.ended = min(stage.started, started), max(stage.ended, ended)
        stage.rows += rows
        stage.shared_rows += shared_rows

    def went_on(self) -> None:
        """What has been since the last stage was told by `add`."""
        self._last = time.perf_counter()

    def asked(self, model: str, version: str, rows: int) -> None:
        self.model, self.version, self.rows = model, version, rows
