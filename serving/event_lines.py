"""Lines about events, from whoever meets one to standard output, which may be stuck or gone: nobody waits for it.

A line is put down and a thread writes it. What cannot be written is dropped and counted; telling of an event never fails.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue

from serving.request_log.sinks import StandardOutput
from serving.request_log.writer import Sink

STREAM = "event"
MAX_WAITING = 10_000
TOGETHER = 100
LAST_LINES_SECONDS = 1.0

Counted = Callable[[str, str, int], None]


def _uncounted(stream: str, result: str, count: int) -> None:
    """Before there are metrics."""


class EventLines:
    """Thread-safe. `counted` is told of lines by their fate, as `TellingMetrics.lines` wants to be."""

    def __init__(self, sink: Sink | None = None) -> None:
        self.counted: Counted = _uncounted
        self._sink = StandardOutput() if sink is None else sink
        self._waiting: SimpleQueue[bytes | threading.Event] = SimpleQueue()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def put(self, line: str) -> None:
        if self._waiting.qsize() >= MAX_WAITING:
            return self.counted(STREAM, "dropped", 1)
        self._waiting.put(line.encode(errors="backslashreplace") + b"\n")
        if self._thread is None:
            self._start()

    def flush(self, seconds: float = LAST_LINES_SECONDS) -> None:
        """Returns when all lines so far are written, or after so long."""
        if self._thread is not None:
            written = threading.Event()
            self._waiting.put(written)
            written.wait(seconds)

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="events", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            lines, flushed = self._taken()
            if lines:
                self._write(lines)
            if flushed is not None:
                flushed.set()

    def _taken(self) -> tuple[list[bytes], threading.Event | None]:
        """What waits, at least one; up to where somebody wants to know that it is written."""
        lines: list[bytes] = []
        item = self._waiting.get()
        while True:
            if isinstance(item, threading.Event):
                return lines, item
            lines.append(item)
            if len(lines) == TOGETHER:
                return lines, None
            try:
                item = self._waiting.get_nowait()
            except Empty:
                return lines, None

    def _write(self, lines: list[bytes]) -> None:
        try:
            self._sink.write(lines)
        except OSError:
            self.counted(STREAM, "failed", len(lines))
        else:
            self.counted(STREAM, "written", len(lines))
