"""Clients, sixteen of them, that ask for predictions without pause and remember every answer, and every question without one."""

from __future__ import annotations

import http.client
import itertools
import json
import random
import secrets
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

CLIENTS = 16
RETRY_SECONDS = 0.02
PATIENCE_SECONDS = 30.0

Row = dict[str, Any]
RowMaker = Callable[[random.Random], tuple[str, Row]]


@dataclass(frozen=True)
class Answer:
    """A 200, and what was asked."""

    request_id: str
    row: Row
    body: dict[str, Any]
    at: float  # when it had come
    seconds: float

    @property
    def prediction_id(self) -> str:
        return str(self.body["prediction_id"])


class Load(AbstractContextManager["Load"]):
    """`unanswered` holds the ids of requests that were sent, at least in part, and whose answer never came.

    All ids begin with `name`.
    """

    def __init__(
        self,
        port: int,
        token: str,
        make_row: RowMaker,
        *,
        pause_seconds: float = 0.0,
        keeps_connections: bool = True,
        clients: int = CLIENTS,
    ) -> None:
        self._port, self._make_row, self._pause = port, make_row, pause_seconds
        self._keeps_connections = keeps_connections
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self.answers: list[Answer] = []
        self.refusals: list[tuple[int, str]] = []
        self.unanswered: list[str] = []
        self._numbers, self.name = itertools.count(), secrets.token_hex(4)  # others may have asked before
        self._end = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(seed,)) for seed in range(clients)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, seed: int) -> None:
        chance = random.Random(seed)
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE_SECONDS)
        while not self._end.is_set():
            if not _connected(connection):
                time.sleep(RETRY_SECONDS)
                continue
            model, row = self._make_row(chance)
            self._exchange(connection, f"{self.name}-{seed}-{next(self._numbers)}", model, row)
            if not self._keeps_connections:
                connection.close()
            if self._pause:
                time.sleep(self._pause * chance.uniform(0.5, 1.5))
        connection.close()

    def _exchange(
        self, connection: http.client.HTTPConnection, request_id: str, model: str, row: Row
    ) -> None:
        try:
            headers = {**self._headers, "X-Request-ID": request_id}
            sent = time.monotonic()
            connection.request("POST", f"/predict/{model}", json.dumps(row), headers)
            response = connection.getresponse()
            body = response.read()
        except (OSError, http.client.HTTPException):
            self.unanswered.append(request_id)
            connection.close()
            return
        if response.status == 200:
            now = time.monotonic()
            self.answers.append(Answer(request_id, row, json.loads(body), now, now - sent))
        else:
            self.refusals.append((response.status, body.decode(errors="replace")))


def _connected(connection: http.client.HTTPConnection) -> bool:
    """Nothing was asked yet where this fails."""
    if connection.sock is not None:
        return True
    try:
        connection.connect()
    except OSError:
        connection.close()
        return False
    return True
