"""The open-loop load against a server of our own, and what `bench.overload` makes of it. Nothing here is timed."""

from __future__ import annotations

import http.server
import os
import threading
from collections.abc import Iterator

import pytest

from bench.bars import overload_bars
from bench.load import Target
from bench.open_loop import Exchanged, Stream, open_load
from bench.overload import table
from bench.overload_results import Compared, Neighbours, Overloaded, step_of


class _Every(http.server.BaseHTTPRequestHandler):
    """Answers three requests and refuses the fourth, again and again."""

    protocol_version = "HTTP/1.1"
    count = 0

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        type(self).count += 1
        self.send_response(503 if self.count % 4 == 0 else 200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *args: object) -> None:
        return


@pytest.fixture
def port() -> Iterator[int]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Every) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def test_every_request_that_was_due_is_accounted_for(port: int) -> None:
    target = Target(port=port, path="/predict", headers={}, template='{"x":@@1.5|0.1|0.0@@}')
    core = min(os.sched_getaffinity(0))
    streams = [Stream(target=target, rate=100, first=1), Stream(target=target, rate=20, first=1000)]
    large, small = open_load(streams, seconds=1.0, core=core)
    assert len(large) > len(small) > 0
    assert {each.status for each in (*large, *small)} <= {200, 503}
    assert all(0 <= each.due < 1.0 for each in large)


def test_a_step_counts_by_status() -> None:
    found = [Exchanged(0.1, 0.010, 200), Exchanged(0.5, 0.002, 503), Exchanged(0.9, 0.030, 200)]
    step = step_of([*found, Exchanged(0.0, 10.0, 0)], times=5.0, seconds=1.0)
    assert (step.goodput, step.refused, step.failed) == (2.0, 1, 1)
    assert step.p99_ms == pytest.approx(30.0)


def test_a_service_has_recovered_when_hardly_anybody_is_refused_any_more() -> None:
    refused = [Exchanged(at / 10, 0.002, 503) for at in range(30)]
    answered = [Exchanged(at / 10, 0.010, 200) for at in range(30, 600)]
    step = step_of([*refused, *answered], times=0.25, seconds=60.0)
    assert step.recovered == pytest.approx(3.0, abs=0.6)
    assert step_of(refused, times=0.25, seconds=60.0).recovered == 60.0
    assert step_of(answered, times=0.25, seconds=60.0).recovered == pytest.approx(3.0)


def test_bars_are_ratios_of_neighbours() -> None:
    quiet = step_of([Exchanged(0.1, 0.010, 200)], times=0.25, seconds=1.0)
    five = step_of([Exchanged(0.1, 0.015, 200)] * 95 + [Exchanged(0.1, 0.02, 503)], times=5.0, seconds=1.0)
    compared = Compared(step=five, peak=100.0, unloaded=quiet, slowest_probe_ms=20.0)
    neighbours = Neighbours(alone=quiet, beside=five)
    found = Overloaded(steps=[compared], afterwards=quiet, refusal_ms=0.1, neighbours=neighbours)
    bars = {bar.name: bar for bar in overload_bars(found)}
    assert bars["goodput at 5 times the peak, of the peak"].value == pytest.approx(0.95)
    assert bars["p99 of answers at 5 times, against unloaded"].value == pytest.approx(1.5)
    assert bars["goodput at 10 times the peak, of the peak"].passed is None
    assert bars["slowest probe under overload"].passed
    assert bars["requests of a modest caller beside a greedy one that were not answered"].value == 1
    assert bars["p99 of a modest caller beside a greedy one, against alone"].value == pytest.approx(1.5)
    assert "| 5 | 100 | 96 | 95 | 1 | 0 | 15 | 15 | 20 | 20 |" in table(found)


def test_a_stream_sends_from_its_first_second_to_its_last(port: int) -> None:
    target = Target(port=port, path="/predict", headers={}, template='{"x":@@1.5|0.1|0.0@@}')
    early = Stream(target=target, rate=60, first=1, until=0.5)
    late = Stream(target=target, rate=60, first=1000, after=0.5)
    before, after = open_load([early, late], seconds=1.0, core=min(os.sched_getaffinity(0)))
    assert len(before) > 10
    assert len(after) > 10
    assert max(each.due for each in before) < 0.5 <= min(each.due for each in after)
