"""Lines of events: written in order by a thread, dropped and counted where they cannot be."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from serving.event_lines import MAX_WAITING, EventLines


class Sink:
    """Keeps what it gets, or fails, or waits until it may go on."""

    def __init__(self, *, broken: bool = False) -> None:
        self.lines: list[bytes] = []
        self.open, self.asked = threading.Event(), threading.Event()
        self.open.set()
        self._broken = broken

    def write(self, lines: Sequence[bytes]) -> None:
        self.asked.set()
        self.open.wait()
        if self._broken:
            raise BrokenPipeError
        self.lines.extend(lines)


class Fates:
    def __init__(self) -> None:
        self.counts: dict[str, int] = {}

    def __call__(self, stream: str, result: str, count: int) -> None:
        assert stream == "event"
        self.counts[result] = self.counts.get(result, 0) + count


def event_lines(sink: Sink) -> tuple[EventLines, Fates]:
    lines, fates = EventLines(sink), Fates()
    lines.counted = fates
    return lines, fates


def test_lines_are_written_in_the_order_in_which_they_were_told() -> None:
    lines, fates = event_lines(sink := Sink())
    for number in range(1000):
        lines.put(str(number))
    lines.flush(10)
    assert sink.lines == [b"%d\n" % number for number in range(1000)]
    assert fates.counts == {"written": 1000}


def test_while_the_sink_is_stuck_as_many_lines_wait_as_may_and_the_rest_are_dropped() -> None:
    lines, fates = event_lines(sink := Sink())
    sink.open.clear()
    lines.put("first")
    assert sink.asked.wait(10)
    for _ in range(MAX_WAITING + 5):
        lines.put("more")
    assert fates.counts == {"dropped": 5}
    sink.open.set()
    lines.flush(10)
    assert len(sink.lines) == MAX_WAITING + 1


def test_a_sink_that_is_gone_fails_nobody() -> None:
    lines, fates = event_lines(Sink(broken=True))
    lines.put("nobody hears this")
    lines.flush(10)
    lines.put("nor this")
    lines.flush(10)
    assert fates.counts == {"failed": 2}


def test_flushing_a_stuck_sink_takes_no_longer_than_it_may() -> None:
    lines, _ = event_lines(sink := Sink())
    sink.open.clear()
    lines.put("waits")
    lines.flush(0.01)
    assert not sink.lines
    sink.open.set()


def test_text_that_is_no_unicode_is_written_all_the_same() -> None:
    lines, _ = event_lines(sink := Sink())
    lines.put("half a pair: \ud800")
    lines.flush(10)
    assert sink.lines == [b"half a pair: \\ud800\n"]
