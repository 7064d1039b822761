"""uvicorn's HTTP protocol, with an answer that is known as a whole written as a whole.

ASGI takes an answer in two messages, whose every header uvicorn searches for what must not be in it, and keeps a timer for
each pause between requests. Our answers are ready before their first byte leaves, so an application that finds `ANSWER`
among the extensions of its scope may hand over everything at once; whoever does not is served as ever.
"""

from __future__ import annotations

import asyncio
import urllib.parse
from collections.abc import Callable, MutableMapping, Sequence
from typing import Any, cast

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

ANSWER = "slipway.answer"
_CLOSE = (b"connection", b"close")
Headers = list[tuple[bytes, bytes]]
Answer = Callable[[int, Headers, bytes], bool]


def taken_answer(scope: MutableMapping[str, Any]) -> Answer | None:
    """What writes this request's answer, if its connection is ours. It leaves the scope, which it would hold for ever."""
    extensions = scope.pop("extensions", None)
    return None if extensions is None else extensions.get(ANSWER)


def head_of(status: int, headers: Sequence[tuple[bytes, bytes]]) -> bytes:
    """All of an answer before its body. Raises RuntimeError for a header that holds a line break."""
    lines = [b"%b: %b\r\n" % pair for pair in headers]
    head = b"".join(lines)
    if head.count(b"\n") != len(lines) or head.count(b"\r") != len(lines):
        raise RuntimeError("a header of an answer holds a line break")
    return b"%b%b\r\n" % (STATUS_LINE[status], head)


class Cycle(RequestResponseCycle):
    """One request and its answer."""

    def answer(self, status: int, headers: Headers, body: bytes) -> bool:
        """Writes all of an answer. False where the client reads too slowly for that: send it the other way, then.

        `headers` have the body's length. Raises RuntimeError for a header that holds a line break.
        """
        if self.disconnected:
            return True
        if self.flow.write_paused or self.response_started:
            return False
        self.response_started = self.response_complete = True
        if _CLOSE in headers:
            self.keep_alive = False
        elif not self.keep_alive:
            headers.append(_CLOSE)
        head = head_of(status, (*self.default_headers, *headers))
        self.transport.write(head if self.scope["method"] == "HEAD" else head + body)
        self.message_event.set()
        if not self.keep_alive:
            self.transport.close()
        self.on_response()
        return True


class WholeAnswers(HttpToolsProtocol):
    """One client's connection. Of a pause between requests it keeps the beginning, and one timer looks after all."""

    cycle: Cycle
    _idle_since: float | None = None
    _asked = b""
    _path, _raw_path, _query = "", b"", b""

    def on_headers_complete(self) -> None:
        """As uvicorn's, which offers no other way to a cycle of ours; there are no upgrades, and limits are the front app's."""
        parser, scope = self.parser, cast("dict[str, Any]", self.scope)
        version = parser.get_http_version()
        scope["method"] = parser.get_method().decode("ascii")
        if version != "1.1":
            scope["http_version"] = version
        self._name_path()
        before: Cycle | None = self.cycle
        self.cycle = cycle = self._new_cycle(version)
        scope["extensions"] = {ANSWER: cycle.answer}
        if before is None or before.response_complete:
            self._start_asgi_task(cycle, self.app)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((cycle, self.app))

    def _name_path(self) -> None:
        """Most requests of a connection ask for the same path."""
        if self.url != self._asked:
            parsed = httptools.parse_url(self.url)
            path = parsed.path.decode("ascii")
            self._path = self.root_path + (urllib.parse.unquote(path) if "%" in path else path)
            self._raw_path = self.root_path.encode("ascii") + parsed.path
            self._query = parsed.query or b""
            self._asked = self.url
        scope: Any = self.scope
        scope["path"], scope["raw_path"], scope["query_string"] = self._path, self._raw_path, self._query

    def _new_cycle(self, version: str) -> Cycle:
        return Cycle(
            scope=self.scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=self.access_log,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=self.expect_100_continue,
            keep_alive=version != "1.0" and self.parser.should_keep_alive(),
            on_response=self.on_response_complete,
        )

    def on_response_complete(self) -> None:
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
            return
        self._idle_since = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._look_again(self.timeout_keep_alive)

    def _unset_keepalive_if_required(self) -> None:
        self._idle_since = None
        if self.transport.is_closing() and self.timeout_keep_alive_task is not None:
            self.timeout_keep_alive_task.cancel()
            self.timeout_keep_alive_task = None

    def timeout_keep_alive_handler(self) -> None:
        """Closes a connection on which nothing was asked for so long; of one that is busy the next answer looks again."""
        self.timeout_keep_alive_task = None
        if self._idle_since is None or self.transport.is_closing():
            return
        left = self._idle_since + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self._look_again(left)
        else:
            self.transport.close()

    def _look_again(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(seconds, self.timeout_keep_alive_handler)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self.timeout_keep_alive_task is not None:
            self.timeout_keep_alive_task.cancel()
            self.timeout_keep_alive_task = None
