"""What a protocol costs: `python -m bench.protocols`, CPU of the process that answers, of one row and of 256 rows a request.

Requests of each protocol take turns over the same connections of one service; all rows are new to it. What counts is the
median of the ratios within a round.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from statistics import median

import msgspec

from bench.against import serve_alone
from bench.bars import Bar, protocol_bars
from bench.entrants import AGENT_MARK, Entrant
from bench.errors import BenchError
from bench.fixtures import Fixture, prepare_fixture
from bench.proc import command_line
from bench.protocol_bodies import NATIVE, V2_BINARY, V2_JSON, request, rows_of
from bench.report import told
from bench.servers import end_servers_at_sigterm
from bench.settings import read_settings

ONE, MANY = 1, 256
PLAN = (
    (NATIVE, ONE),
    (V2_JSON, ONE),
    (V2_BINARY, ONE),
    (NATIVE, MANY),
    (V2_JSON, MANY),
    (V2_BINARY, MANY),
)
CONNECTIONS = {ONE: 16, MANY: 2}
RING = {ONE: 4000, MANY: 60}
CODEC_TURNS = 500


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Microseconds of a row, by round."""

    protocol: str
    rows: int
    row_us: list[float]


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    settings = read_settings()
    end_servers_at_sigterm()
    os.sched_setaffinity(0, {settings.load_core})
    fixture = prepare_fixture(settings, options.model)
    found = [Cost(protocol=name, rows=rows, row_us=[]) for name, rows in PLAN]
    with contextlib.ExitStack() as stack:
        entrant = serve_alone(settings, fixture, stack)
        authorization = entrant.start.misses.headers["Authorization"]
        numbers = count(50_000_000, 1_000_000)
        for turn in range(options.rounds):
            for cost in found:
                first = next(numbers)
                requests = [
                    request(
                        cost.protocol,
                        fixture.model,
                        rows_of(fixture.row, first + each * cost.rows, cost.rows),
                        authorization,
                    )
                    for each in range(RING[cost.rows])
                ]
                cost.row_us.append(_row_us(entrant, requests, cost.rows))
                print(
                    f"  {turn} {cost.protocol}, {cost.rows} rows: {cost.row_us[-1]:.1f} µs a row", flush=True
                )
    print("\n".join(table(found)))
    json_us = json_us_a_row(fixture)
    print(
        f"JSON itself, read and written, is {json_us:.2f} µs of a row of {MANY}: no protocol can save more than that."
    )
    return told(bars_of(found), strict=options.strict)


def json_us_a_row(fixture: Fixture) -> float:
    """CPU of reading the JSON of a request of many rows and of writing that of its answer, by the library that does both."""
    first = _json_of(request(V2_JSON, fixture.model, rows_of(fixture.row, 1, MANY), ""))
    ids, numbers = [f"{place:026d}" for place in range(MANY)], [place / 3 for place in range(MANY)]
    answer = {"outputs": [{"name": "prediction", "data": numbers}, {"name": "prediction_id", "data": ids}]}
    began = time.process_time()
    for _ in range(CODEC_TURNS):
        msgspec.json.decode(first)
        msgspec.json.encode(answer)
    return (time.process_time() - began) / CODEC_TURNS / MANY * 1e6


def _json_of(content: bytes) -> bytes:
    return content.partition(b"\r\n\r\n")[2]


def table(found: Sequence[Cost]) -> list[str]:
    lines = ["| protocol | rows | µs a row: lowest, median | against native |", "|---|---:|---:|---:|"]
    for cost in found:
        against = ratio(cost, _of(found, NATIVE, cost.rows))
        lines.append(
            f"| {cost.protocol} | {cost.rows} | {min(cost.row_us):.1f}, {median(cost.row_us):.1f} | {against:.2f} |"
        )
    return lines


def bars_of(found: Sequence[Cost]) -> list[Bar]:
    one_row = ratio(_of(found, V2_JSON, ONE), _of(found, NATIVE, ONE))
    many_rows = ratio(_of(found, V2_JSON, MANY), _of(found, V2_BINARY, MANY))
    return protocol_bars(one_row, many_rows)


def ratio(one: Cost, other: Cost) -> float:
    return median(mine / theirs for mine, theirs in zip(one.row_us, other.row_us, strict=True))


def _of(found: Sequence[Cost], protocol: str, rows: int) -> Cost:
    return next(cost for cost in found if (cost.protocol, cost.rows) == (protocol, rows))


def _row_us(entrant: Entrant, requests: Sequence[bytes], rows: int) -> float:
    """CPU of the answering process over all of the requests, a few of them under way at a time."""
    entrant.server.settle()
    before = _cpu_seconds(entrant)
    with contextlib.ExitStack() as stack:
        lines = [
            stack.enter_context(
                socket.create_connection(("127.0.0.1", entrant.start.misses.port), timeout=60)
            )
            for _ in range(CONNECTIONS[rows])
        ]
        for first in range(0, len(requests), len(lines)):
            asked = list(zip(lines, requests[first : first + len(lines)], strict=False))
            for line, content in asked:
                line.sendall(content)
            for line, _ in asked:
                _read_answer(line)
    return (
        max(after - before.get(pid, 0.0) for pid, after in _cpu_seconds(entrant).items())
        * 1e6
        / len(requests)
        / rows
    )


def _cpu_seconds(entrant: Entrant) -> dict[int, float]:
    tree = entrant.server.tree()
    return {pid: stat.cpu_seconds for pid, stat in tree.items() if AGENT_MARK not in command_line(pid)}


def _read_answer(line: socket.socket) -> None:
    received = b""
    for part in _received(line):
        received += part
        head, end, body = received.partition(b"\r\n\r\n")
        if end and len(body) >= _content_length(head):
            if not head.startswith(b"HTTP/1.1 200"):
                raise BenchError(f"an answer was {head[:40]!r}: {body[:300]!r}")
            return


def _received(line: socket.socket) -> Iterator[bytes]:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and (part := line.recv(1 << 20)):
        yield part
    raise BenchError("a connection ended before its answer")


def _content_length(head: bytes) -> int:
    name = b"\r\ncontent-length:"
    return int(head.lower().partition(name)[2].split(b"\r\n", 1)[0])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.protocols", description=__doc__)
    parser.add_argument("--model", default="model-a", help="model-a or food-delivery (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--strict", action="store_true", help="exit 1 when a bar is missed")
    return parser


if __name__ == "__main__":
    sys.exit(main())
