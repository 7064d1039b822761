"""A caller who sends requests of thousands of rows without a pause, none like the one before, from a process of its own."""

from __future__ import annotations

import http.client
import multiprocessing
import time
from multiprocessing.sharedctypes import Synchronized
from types import TracebackType

from bench.bodies import MARK
from bench.errors import BenchError
from bench.load import Target

PATIENCE_SECONDS = 60.0
SERIAL = b"SSSSSS"


class LargeCaller:
    """Asks from the start of the context to its end; the request under way is then broken off."""

    def __init__(self, target: Target, *, rows: int, serial: int) -> None:
        context = multiprocessing.get_context("fork")
        self._answered: Synchronized[int] = context.Value("q", 0)
        self._process = context.Process(target=_ask, args=(target, rows, serial, self._answered), daemon=True)
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
        values = iter([f"{{:.2f}}{SERIAL.decode()}{place:05d}", "{:.2f}"])
        bodies.append(MARK.sub(lambda mark: next(values).format(float(mark.group(1))), template))  # noqa: B023
    return b'{"instances":[' + ",".join(bodies).encode() + b"]}"


def _ask(target: Target, rows: int, serial: int, answered: Synchronized[int]) -> None:
    body = large_body(target.template, rows)
    connection = http.client.HTTPConnection("127.0.0.1", target.port, timeout=PATIENCE_SECONDS)
    headers = {"Content-Type": "application/json", **target.headers}
    while True:
        serial += 1
        connection.request("POST", target.path, body=body.replace(SERIAL, b"%06d" % serial), headers=headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise BenchError(f"the large request was answered with {answer.status}")
        answered.value += rows
