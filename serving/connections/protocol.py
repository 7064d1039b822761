"""uvicorn's HTTP protocol, with what it lacks against hostile clients: bounds, time, and errors that are problems.

BentoML starts uvicorn, so `serve_with_bounds` names this class where uvicorn looks for its own. On the way of an ordinary
request nothing is added but two comparisons; what is not ordinary leaves that way at once.
"""

from __future__ import annotations

import time
from asyncio import AbstractEventLoop, Transport
from collections import deque
from typing import Any

import httptools
from uvicorn.config import HTTP_PROTOCOLS, Config
from uvicorn.server import ServerState

from modelkit.errors import (
    HeadersTooLarge,
    InvalidRequest,
    Overloaded,
    RequestTimeout,
    SlipwayError,
    TargetTooLong,
)
from serving.connections.answers import refusal, saying
from serving.connections.ends import End
from serving.connections.house import STATE, House
from serving.connections.whole_answers import WholeAnswers

# What is fed to the parser at once, so that it holds no more than this beyond a limit.
PIECE_BYTES = 4 * 1024
MAX_PIPELINED = 32
# A chunk may bring as much beside its data; trailers and extensions of chunks count in full.
CHUNK_OVERHEAD_BYTES = 16
# What is read and forgotten after the answer: a client that sends everything before it reads would see a reset instead.
MAX_DISCARDED_BYTES = 32 * 1024 * 1024
# The slowest pace at which a long answer may be taken.
PACE_BYTES = 64 * 1024


class Pipeline(deque[Any]):
    """uvicorn's queue of requests that wait for the answer before theirs, with an end."""

    overflowed = False

    def appendleft(self, item: Any, /) -> None:
        if len(self) >= MAX_PIPELINED:
            self.overflowed = True
            raise OverflowError
        super().appendleft(item)


class BoundedProtocol(WholeAnswers):
    """A guest of the `House` that the lifespan's state names."""

    # Of the latest request; None before the first. The scope is there as soon as a head begins, the cycle when it ends.
    cycle: Any
    scope: Any

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.ws_protocol_class = None
        self.pipeline = Pipeline()
        self.url = b""
        self._house: House = app_state[STATE]
        self._deaf = self._lingers = False
        self._counted: Any = None
        self._received = self._overhead = 0
        self._seen: End | None = None
        self._seen_scope: Any = None
        self._give_up_at = 0.0

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._opened = self.loop.time()
        self._house.enter(self)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._deaf = True
        self._house.left(self)

    # What arrives

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        if len(data) <= PIECE_BYTES and not self._deaf:
            return self._feed(data)
        for start in range(0, len(data), PIECE_BYTES):
            if self._deaf:
                return self._discard(len(data) - start)
            self._feed(data[start : start + PIECE_BYTES])

    def _feed(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            return self._hear_no_more()  # there is no other protocol
        except httptools.HttpParserError:
            return self._refuse_malformed()
        cycle = self.cycle
        if cycle is None or cycle.more_body or cycle.scope is not self.scope:
            self._measure(len(data))

    def on_body(self, body: bytes) -> None:
        self._overhead -= len(body)
        super().on_body(body)

    def on_chunk_header(self) -> None:
        self._overhead -= CHUNK_OVERHEAD_BYTES

    def on_message_complete(self) -> None:
        """As uvicorn's, which forgets the end of a body that was answered before it had arrived."""
        cycle = self.cycle
        cycle.more_body = False
        if not cycle.response_complete:
            cycle.message_event.set()

    def _measure(self, size: int) -> None:
        """Of a request that has not arrived as a whole: what of it is neither bounded by its route nor by a time."""
        if self._counted is not self.scope:
            self._counted, self._received, self._overhead = self.scope, 0, 0
            return
        self._received += size
        self._overhead = max(0, self._overhead + size)
        limit = self._house.limits.header_bytes
        if self._awaits_head:
            if self._received > limit:
                too_long = 2 * len(self.url) > self._received  # which is most of what has come
                self._refuse(TargetTooLong() if too_long else HeadersTooLarge(), End.OVERSIZED)
        elif self.cycle.response_complete:
            if self._received > MAX_DISCARDED_BYTES:
                self.leave(End.BODY_AFTER_ANSWER)
        elif self._overhead > limit:
            self._refuse(HeadersTooLarge(), End.OVERSIZED)

    @property
    def _awaits_head(self) -> bool:
        """Nothing has arrived, or a part of a head."""
        return self.cycle is None or self.cycle.scope is not self.scope

    # Refusing

    def _refuse_malformed(self) -> None:
        if self.pipeline.overflowed:  # type: ignore[attr-defined]
            self.cycle = self.pipeline[0][0]
            self._house.ended(End.PIPELINED)
            return self._hear_no_more()
        self._refuse(InvalidRequest("The request is not valid HTTP/1.1"), End.MALFORMED)

    def _hear_no_more(self) -> None:
        """What was asked so far is answered, and then the connection ends."""
        self._deaf = True
        cycle = self.cycle
        if cycle is None or cycle.response_complete:
            return self.transport.close()
        cycle.keep_alive = False

    def _refuse(self, error: SlipwayError, end: End) -> None:
        """Answers owed for requests before this one leave first, and in their order."""
        self._house.ended(end)
        cycle = self.cycle
        if self._awaits_head:
            if cycle is None or cycle.response_complete:
                return self._tell(error)
            return self._hear_no_more()
        if cycle.response_started:
            return self.leave(None)
        self._deaf = True
        if self.pipeline:
            self.pipeline[0] = (cycle, saying(error, self._house))
            return None
        cycle.disconnected = True
        cycle.message_event.set()
        return self._tell(error)

    def _tell(self, error: SlipwayError) -> None:
        """The last that is said. What still comes is read and forgotten for a while, so that it is heard."""
        self._deaf = True
        self.transport.write(refusal(error, self._house, self.server_state.default_headers))
        self._house.answered(error.status, time.perf_counter())
        if error.status == RequestTimeout.status or not self.transport.can_write_eof():
            return self.transport.close()
        self._lingers = True
        self.flow.resume_reading()
        self.transport.write_eof()

    def _discard(self, size: int) -> None:
        self._received += size
        if self._received > MAX_DISCARDED_BYTES:
            self.leave(None)

    # As a guest

    @property
    def idle_rank(self) -> tuple[bool, float] | None:
        if self._deaf or self.transport.is_closing():
            return None
        cycle = self.cycle
        if cycle is not None and not cycle.response_complete:
            return None
        return (not self._awaits_head, self._opened)

    def leave(self, end: End | None) -> None:
        if end is not None:
            self._house.ended(end)
        self._deaf = True
        self.transport.abort()

    def refuse_entry(self) -> None:
        self._house.ended(End.NO_ROOM)
        self._tell(Overloaded("There are too many connections"))

    def look(self, now: float) -> None:
        doing = self._doing()
        if doing is not self._seen or self.scope is not self._seen_scope:
            self._seen, self._seen_scope = doing, self.scope
            self._give_up_at = now + self._patience(doing)
        elif doing is not None and now >= self._give_up_at:
            self._end(doing)

    def _doing(self) -> End | None:
        """What of the client is being waited for; None while it is our turn."""
        if self._lingers or self.transport.is_closing():
            return End.LINGERS
        if self.transport.get_write_buffer_size():
            return End.UNREAD_ANSWER
        cycle = self.cycle
        if cycle is not None and not cycle.response_complete:
            return None
        if self._awaits_head:
            return End.SILENT if self.scope is None else End.SLOW_HEAD
        if cycle.more_body:
            return End.BODY_AFTER_ANSWER
        return End.SILENT

    def _patience(self, end: End | None) -> float:
        if end is End.SILENT and not self._awaits_head:
            return (
                self.timeout_keep_alive + 1.0
            )  # uvicorn's timer goes first, unless what came was no request
        return self._house.limits.seconds + self.transport.get_write_buffer_size() / PACE_BYTES

    def _end(self, end: End) -> None:
        if end is End.SLOW_HEAD:
            return self._refuse(RequestTimeout(), end)
        self.leave(end)


def serve_with_bounds() -> None:
    """To be called before uvicorn is configured: BentoML has no setting for its protocol class."""
    HTTP_PROTOCOLS["auto"] = f"{BoundedProtocol.__module__}:{BoundedProtocol.__qualname__}"
