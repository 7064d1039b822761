"""Raw bytes to a port and back: one request after the other on a connection, or many connections at once."""

from __future__ import annotations

import contextlib
import selectors
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

from tests.hostile.answers import Answer, NotHttp, first_answer

PATIENCE_SECONDS = 20.0
QUIET_SECONDS = 0.15


class Line:
    """A connection that is opened again when the service has ended it. It sends a request whole and reads its answer."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ask(self, request: bytes, *, to: str = "GET") -> Answer:
        """Raises NotHttp, or OSError when nothing is said."""
        connection = self._connected()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(request)  # it may have been refused before its end
        answer, rest = None, b""
        while answer is None:
            piece = connection.recv(1 << 18)
            if not piece:
                self.close()
                raise NotHttp(f"ended after {rest[:200]!r}")
            answer, rest = first_answer(rest + piece, to=to)
        if rest:
            raise NotHttp(f"more than was asked for: {rest[:200]!r}")
        if answer.ends:
            self.close()
        return answer

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _connected(self) -> socket.socket:
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port), PATIENCE_SECONDS)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._socket


@dataclass(slots=True)
class Said:
    """What came back, and whether the service ended the connection. Whoever is reset may have been told something before."""

    data: bytes = b""
    ended: bool = False
    reset: bool = False


@dataclass(slots=True)
class _Talk:
    socket: socket.socket
    left: memoryview
    said: Said = field(default_factory=Said)


def burst(
    port: int, messages: Sequence[bytes], *, quiet: float = QUIET_SECONDS, patience: float = PATIENCE_SECONDS
) -> list[Said]:
    """Each message on a connection of its own, all at once, until all have ended or nothing is said any more."""
    with selectors.DefaultSelector() as selector:
        talks = [_begun(port, message, selector) for message in messages]
        waiting, give_up_at = len(talks), time.monotonic() + patience
        while waiting and time.monotonic() < give_up_at:
            ready = selector.select(quiet)
            if not ready:
                break
            for key, events in ready:
                waiting -= _step(key.data, events, selector)
        for talk in talks:
            talk.socket.close()
    return [talk.said for talk in talks]


def _begun(port: int, message: bytes, selector: selectors.BaseSelector) -> _Talk:
    connection = socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS)
    connection.setblocking(False)
    talk = _Talk(connection, memoryview(message))
    selector.register(connection, selectors.EVENT_READ | selectors.EVENT_WRITE, talk)
    return talk


def _step(talk: _Talk, events: int, selector: selectors.BaseSelector) -> bool:
    """Whether the service has ended it."""
    try:
        if events & selectors.EVENT_WRITE:
            talk.left = talk.left[talk.socket.send(talk.left[: 1 << 16]) :] if talk.left else talk.left
            if not talk.left:
                selector.modify(talk.socket, selectors.EVENT_READ, talk)
        if events & selectors.EVENT_READ:
            piece = talk.socket.recv(1 << 16)
            talk.said.data += piece
            talk.said.ended = not piece
    except (BrokenPipeError, ConnectionResetError):
        talk.said.data += _leftover(talk.socket)
        talk.said.ended = talk.said.reset = True
    if talk.said.ended:
        selector.unregister(talk.socket)
    return talk.said.ended


def _leftover(connection: socket.socket) -> bytes:
    try:
        return connection.recv(1 << 16)
    except OSError:
        return b""
