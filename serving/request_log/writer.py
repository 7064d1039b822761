"""Lines from requests to where they are read: a request leaves an object, a thread makes and writes the line.

Whoever reads standard output may stop reading; then lines are dropped and counted, and predictions go on.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import Any, Generic, Protocol, TypeVar

import structlog

Item = TypeVar("Item")
Counted = Callable[[str, str, int], None]

MAX_WAITING = 10_000


class Sink(Protocol):
    """Where lines end up. Raises OSError."""

    def write(self, lines: Sequence[bytes]) -> None: ...


class Stream(Generic[Item]):
    """One kind of lines. `items` are appended by requests and handed over a few times a second; `line_of` gives no line
    for what is below the level of the log.
    """

    def __init__(
        self, name: str, line_of: Callable[[Item], bytes | None], sinks: Sequence[Sink], counted: Counted
    ) -> None:
        self.name, self._line_of, self._sinks, self._counted = name, line_of, sinks, counted
        self.items: list[Item] = []
        self._handed = self._written = 0  # each has one thread that changes it
        self._failing = False

    def take(self) -> list[Item]:
        """What was appended since the last call; nothing, and counted as dropped, while too much waits."""
        items, self.items = self.items, []
        if items and self._handed - self._written + len(items) > MAX_WAITING:
            self._counted(self.name, "dropped", len(items))
            return []
        self._handed += len(items)
        return items

    def write(self, items: list[Item]) -> None:
        lines = [line for item in items if (line := self._line_of(item)) is not None]
        failed = sum(not self._put(sink, lines) for sink in self._sinks)
        if lines:
            self._counted(self.name, "failed" if failed else "written", len(lines))
        self._written += len(items)

    def _put(self, sink: Sink, lines: list[bytes]) -> bool:
        try:
            sink.write(lines)
        except OSError as error:
            if not self._failing:
                self._failing = True
                structlog.get_logger("slipway.service").error(
                    "log lines not written", stream=self.name, reason=error.strerror
                )
            return False
        self._failing = False
        return True


class LineWriter:
    """The thread. `hand_over` and `close` belong to the event loop."""

    def __init__(self, streams: Sequence[Stream[Any]]) -> None:
        self._streams = streams
        self._queue: SimpleQueue[tuple[Stream[Any], list[Any]] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def hand_over(self) -> None:
        for stream in self._streams:
            if stream.items and (items := stream.take()):
                self._queue.put((stream, items))
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name="lines", daemon=True)
                    self._thread.start()

    def close(self, seconds: float) -> None:
        """Writes what is left, for at most so long."""
        self.hand_over()
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join(seconds)
            self._thread = None

    def _run(self) -> None:
        while (handed := self._queue.get()) is not None:
            stream, items = handed
            stream.write(items)
