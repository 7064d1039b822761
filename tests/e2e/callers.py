"""Callers as a service has them: they log in, ask with their token for as long as it lives, and log in again."""

from __future__ import annotations

import random
import threading
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import httpx
import jwt

PAUSE_SECONDS = 0.02
SPARE_SECONDS = 0.3  # of a token's life, that may be over before a request arrives


@dataclass(frozen=True)
class Failure:
    """An answer that no caller should get; `kid` is the key of the token that it asked with."""

    what: str
    status: int
    body: str
    kid: str


class Callers(AbstractContextManager["Callers"]):
    """Over new connections, so that every worker is asked. `kids` are those of the tokens that logins gave, in order.

    One for each of `credentials`, because an account may log in only so often.
    """

    def __init__(self, url: str, credentials: list[dict[str, str]], path: str, row: dict[str, Any]) -> None:
        self._url, self._credentials, self._path, self._row = url, credentials, path, row
        self.kids: list[str] = []
        self.answered: list[str] = []
        self.failures: list[Failure] = []
        self._end = threading.Event()
        self._threads = [
            threading.Thread(target=self._live, args=(seed,)) for seed in range(len(credentials))
        ]

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

    def _live(self, seed: int) -> None:
        chance = random.Random(seed)
        with httpx.Client(
            base_url=self._url, timeout=20, limits=httpx.Limits(max_keepalive_connections=0)
        ) as client:
            while not self._end.is_set():
                token, lives = self._log_in(client, self._credentials[seed])
                # To the end of its life, or less: tokens of every age are asked with.
                until = time.monotonic() + lives * chance.uniform(0.2, 1)
                while token and time.monotonic() < until and not self._end.is_set():
                    self._ask(client, token)
                    time.sleep(PAUSE_SECONDS)

    def _log_in(self, client: httpx.Client, credentials: dict[str, str]) -> tuple[str, float]:
        said = client.post("/login", json=credentials)
        if said.status_code != 200:
            self.failures.append(Failure("login", said.status_code, said.text, ""))
            return "", 0.0
        token: str = said.json()["access_token"]
        self.kids.append(kid_of(token))
        # `iat` is a whole second, so up to one second of its life is over already.
        return token, said.json()["expires_in"] - 1 - SPARE_SECONDS

    def _ask(self, client: httpx.Client, token: str) -> None:
        said = client.post(self._path, json=self._row, headers={"authorization": f"Bearer {token}"})
        if said.status_code == 200:
            self.answered.append(kid_of(token))
        else:
            self.failures.append(Failure("predict", said.status_code, said.text, kid_of(token)))


def kid_of(token: str) -> str:
    kid: str = jwt.get_unverified_header(token)["kid"]
    return kid
