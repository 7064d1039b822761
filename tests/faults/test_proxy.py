"""The proxy breaks as it says: otherwise scenarios would show how nothing happens."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tests.faults.proxy import FaultyProxy

TIMEOUT_SECONDS = 0.5


class Echo:
    """Answers each chunk with itself, and remembers what it heard."""

    def __init__(self) -> None:
        self.heard = b""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address: tuple[str, int] = self._listener.getsockname()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        try:
            while True:
                threading.Thread(target=self._answer, args=(self._listener.accept()[0],), daemon=True).start()
        except OSError:  # closed
            return

    def _answer(self, link: socket.socket) -> None:
        with link:
            while chunk := link.recv(1024):
                self.heard += chunk
                link.sendall(chunk)


@pytest.fixture
def echo() -> Iterator[Echo]:
    made = Echo()
    yield made
    made.close()


@pytest.fixture
def proxy(echo: Echo) -> Iterator[FaultyProxy]:
    with FaultyProxy(echo.address) as made:
        yield made


def connected(proxy: FaultyProxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), timeout=TIMEOUT_SECONDS)


def said(link: socket.socket, question: bytes) -> bytes:
    link.sendall(question)
    return link.recv(1024)


def asked(proxy: FaultyProxy, question: bytes) -> bytes:
    with connected(proxy) as link:
        return said(link, question)


def test_without_a_fault_everything_passes(proxy: FaultyProxy) -> None:
    with connected(proxy) as link:
        assert said(link, b"one") == b"one"


def test_questions_are_counted_and_answers_are_not(echo: Echo) -> None:
    with FaultyProxy(echo.address, counted=b"graph") as proxy:
        for question in (b"GET /graph", b"GET /card", b"GET /graph"):
            assert asked(proxy, question) == question
        assert proxy.count == 2


def test_down_refuses_and_resets_and_is_over_on_the_same_port(proxy: FaultyProxy) -> None:
    with connected(proxy) as link:
        assert said(link, b"one") == b"one"
        proxy.down()
        with pytest.raises(ConnectionResetError):
            said(link, b"two")
    with pytest.raises(ConnectionRefusedError):
        connected(proxy)
    proxy.passes()
    with connected(proxy) as link:
        assert said(link, b"three") == b"three"


def test_a_blackhole_says_nothing_and_what_it_swallowed_stays_swallowed(
    proxy: FaultyProxy, echo: Echo
) -> None:
    with connected(proxy) as old:
        assert said(old, b"one") == b"one"
        proxy.blackhole()
        with connected(proxy) as new:
            for link in (old, new):
                with pytest.raises(TimeoutError):
                    said(link, b"two")
            proxy.passes()
            with pytest.raises(TimeoutError):
                said(old, b"three")
    assert echo.heard == b"one"


def test_answers_are_dropped_from_a_question_on(proxy: FaultyProxy, echo: Echo) -> None:
    proxy.drop_replies(after=b"COMMIT")
    with connected(proxy) as link:
        assert said(link, b"INSERT") == b"INSERT"
        with pytest.raises(TimeoutError):
            said(link, b"COMMIT")
    assert echo.heard == b"INSERTCOMMIT"


def test_each_connection_is_reset(proxy: FaultyProxy) -> None:
    proxy.reset()
    with pytest.raises(ConnectionResetError):
        asked(proxy, b"one")


def test_answers_take_longer(proxy: FaultyProxy) -> None:
    proxy.latency(0.2)
    with connected(proxy) as link:
        begin = time.monotonic()
        assert said(link, b"one") == b"one"
        assert time.monotonic() - begin >= 0.2


def test_bytes_come_slowly(proxy: FaultyProxy) -> None:
    proxy.slow(bytes_per_second=1000)
    with connected(proxy) as link:
        begin = time.monotonic()
        assert said(link, b"x" * 100) == b"x" * 100
        assert time.monotonic() - begin >= 0.2
