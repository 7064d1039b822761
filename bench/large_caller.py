"""A caller who sends requests of thousands of rows without a pause, none like the one before, from a process of its own."""

from __future__ import annotations

import http.client
import json
import multiprocessing
import time
from multiprocessing.sharedctypes import Synchronized
from types import TracebackType
from typing import NamedTuple

from bench.bodies import MARK
from bench.errors import BenchError
from bench.load import Target
from bench.protocol_bodies import NATIVE, V2_JSON, paths

PATIENCE_SECONDS = 60.0
SERIAL = b"SSSSSS"
PROTOCOLS = (NATIVE, V2_JSON)


class Large(NamedTuple):
    """What a large request is: how many rows, for which model, in which of `PROTOCOLS`."""

    protocol: str
    model: str
    rows: int


class LargeCaller:
    """Asks from the start of the context to its end; the request under way is then broken off."""

    def __init__(self, target: Target, large: Large, *, serial: int) -> None:
        context = multiprocessing.get_context("fork")
        self._answered: Synchronized[int] = context.Value("q", 0)
        self._process = context.Process(
            target=_ask, args=(target, large, serial, self._answered), daemon=True
        )
        self._started = 0.0

    def __enter__(self) -> LargeCaller:
        self._process.start()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self._answered.value == 0:  # what comes first is being set up
            if not self._process.is_alive() or time.monotonic() > deadline:
                raise BenchError("the large request was not answered")
            time.sleep(0.01)
        self._started = time.monotonic()
        self._answered.value = 0
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.join()

    def rows_per_second(self) -> float:
        return self._answered.value / (time.monotonic() - self._started)


def large_body(template: str, rows: int) -> bytes:
    """`instances` of the template, with a serial to be replaced in the first number that varies."""
    bodies = []
    for place in range(rows):
        values = iter(_numbers(place))
        bodies.append(MARK.sub(lambda mark: next(values).format(float(mark.group(1))), template))  # noqa: B023
    return b'{"instances":[' + ",".join(bodies).encode() + b"]}"


def large_tensors(template: str, rows: int) -> bytes:
    """The same rows as tensors in JSON."""
    values = json.loads(MARK.sub(lambda mark: json.dumps(mark.group()), template))
    written = iter(range(2))
    inputs = []
    for name, value in values.items():
        mark = MARK.fullmatch(value) if isinstance(value, str) else None
        if mark:
            which, base = next(written), float(mark.group(1))
            data = ",".join(_numbers(place)[which].format(base) for place in range(rows))
        else:
            data = ",".join([json.dumps(value)] * rows)
        datatype = "BYTES" if isinstance(value, str) and not mark else "FP64"
        about = json.dumps({"name": name, "datatype": datatype, "shape": [rows]})
        inputs.append(f'{about[:-1]},"data":[{data}]}}')
    return b'{"inputs":[' + ",".join(inputs).encode() + b"]}"


def _numbers(place: int) -> tuple[str, str]:
    """How the two numbers of a row that vary are written."""
    return f"{{:.2f}}{SERIAL.decode()}{place:05d}", "{:.2f}"


_WRITERS = {NATIVE: large_body, V2_JSON: large_tensors}


def _ask(target: Target, large: Large, serial: int, answered: Synchronized[int]) -> None:
    path, body = paths(large.model)[large.protocol], _WRITERS[large.protocol](target.template, large.rows)
    connection = http.client.HTTPConnection("127.0.0.1", target.port, timeout=PATIENCE_SECONDS)
    headers = {"Content-Type": "application/json", **target.headers}
    while True:
        serial += 1
        connection.request("POST", path, body=body.replace(SERIAL, b"%06d" % serial), headers=headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise BenchError(f"the large request was answered with {answer.status}")
        answered.value += large.rows
