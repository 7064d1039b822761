"""Logging in over HTTP, and the slow routes' own threads: SQL is asked there, never on the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

import msgspec
import orjson
from pydantic import Field, ValidationError

from auth.login import Login
from modelkit.errors import InvalidRequest, Overloaded, Unauthenticated
from modelkit.schema import RequestModel, field_errors
from serving.http.exchange import Exchange, Reply
from serving.http.request_rows import refuse_deep
from serving.metrics import Metrics

T = TypeVar("T")

SLOW_THREADS = 2
SLOW_QUEUE = 16
NO_STORE = ((b"cache-control", b"no-store"),)


class SlowLane:
    """A bounded thread pool: a slow database slows only the routes that use it, and a crowd there is refused."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(SLOW_THREADS, thread_name_prefix="slow")
        self._waiting = 0

    async def run(self, call: Callable[[], T]) -> T:
        """Raises Overloaded at once when too many calls wait already."""
        if self._waiting >= SLOW_THREADS + SLOW_QUEUE:
            raise Overloaded("too many slow requests are waiting")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, call)
        finally:
            self._waiting -= 1

    async def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)


class Credentials(RequestModel):
    """Body of POST /login."""

    username: str = Field(min_length=1, max_length=200, description="name of the user")
    password: str = Field(min_length=1, max_length=1024, description="password of the user")


class IdentityRoutes:
    """POST /login and GET /auth/me."""

    def __init__(self, login: Login, lane: SlowLane, metrics: Metrics, *, max_json_depth: int) -> None:
        self._login, self._lane, self._metrics = login, lane, metrics
        self._max_json_depth = max_json_depth

    async def login(self, exchange: Exchange) -> Reply:
        credentials = self._read(await exchange.json_body())
        address = exchange.scope.get("client") or ("", 0)
        check = partial(
            self._check, username=credentials.username, password=credentials.password, address=str(address[0])
        )
        try:
            token = await self._lane.run(check)
        except Unauthenticated:
            self._metrics.authenticated("login", "refused")
            raise
        self._metrics.authenticated("login", "ok")
        return Reply(200, token, headers=NO_STORE)

    async def me(self, exchange: Exchange) -> Reply:
        caller = exchange.caller
        body = {"subject": caller.subject, "issuer": caller.issuer, "scopes": sorted(caller.scopes)}
        return Reply(200, orjson.dumps({**body, "expires_at": caller.expires_at}), headers=NO_STORE)

    def _check(self, *, username: str, password: str, address: str) -> bytes:
        issued = self._login(username=username, password=password, address=address)
        return msgspec.json.encode(issued)

    def _read(self, body: bytes) -> Credentials:
        refuse_deep(body, self._max_json_depth)
        try:
            return Credentials.model_validate_json(body)
        except ValidationError as error:
            raise InvalidRequest(errors=field_errors(error)) from None
