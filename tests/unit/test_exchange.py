"""Reading a body: in pieces, too large, too slow, or of a kind that we do not take."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import pytest

from modelkit.errors import ClientGone, InvalidRequest, PayloadTooLarge, RequestTimeout, UnsupportedMediaType
from serving.http.exchange import Exchange, FrontLimits, Message, Reply, send_reply
from tests.upload_places import uploads_of

LIMIT = 1000


class Client:
    """Sends its pieces, one per `receive`, pausing before those after the first; `stalls` ends in silence, `leaves` says so."""

    def __init__(
        self, *pieces: bytes, pause: float | None = None, stalls: bool = False, leaves: bool = False
    ) -> None:
        self._pieces, self._pause, self._stalls, self._leaves = list(pieces), pause, stalls, leaves
        self.received = 0

    async def receive(self) -> Message:
        if self._pause is not None and self.received:
            await asyncio.sleep(self._pause)
        if not self._pieces and self._stalls:
            await asyncio.Event().wait()
        if not self._pieces and self._leaves:
            return {"type": "http.disconnect"}
        self.received += 1
        piece = self._pieces.pop(0) if self._pieces else b""
        return {
            "type": "http.request",
            "body": piece,
            "more_body": bool(self._pieces) or self._stalls or self._leaves,
        }


def read(
    client: Client,
    headers: Sequence[tuple[bytes, bytes]] = (),
    *,
    seconds: float = 5.0,
    at_most: int | None = None,
) -> bytes:
    async def scenario() -> bytes:
        limits = FrontLimits(max_in_flight=1, max_body_bytes=LIMIT, request_timeout_seconds=seconds)
        exchange = Exchange(
            {}, client.receive, dict(headers), "r-1", time.perf_counter(), limits, uploads_of()
        )
        return await exchange.json_body(at_most=at_most)

    return asyncio.run(scenario())


@pytest.mark.parametrize("pause", [None, 0.0, 0.001])
@pytest.mark.parametrize(
    "pieces", [(b"{}",), (b"",), (b"{", b"}"), (b"{", b"", b'"a"', b":1", b"}"), (b"x",) * 200]
)
def test_a_body_arrives_whole_however_it_is_cut(pieces: tuple[bytes, ...], pause: float | None) -> None:
    assert read(Client(*pieces, pause=pause)) == b"".join(pieces)


def test_the_largest_body_is_taken_and_one_byte_more_is_not() -> None:
    assert len(read(Client(b"x" * LIMIT))) == LIMIT
    with pytest.raises(PayloadTooLarge):
        read(Client(b"x" * (LIMIT + 1)))


def test_a_route_that_needs_less_takes_less_and_none_takes_more() -> None:
    assert len(read(Client(b"x" * 99), at_most=99)) == 99
    for client, at_most in (
        (Client(b"x" * 100), 99),
        (Client(b"x" * 60, b"x" * 60), 99),
        (Client(b"x" * 1001), 9999),
    ):
        with pytest.raises(PayloadTooLarge):
            read(client, at_most=at_most)


@pytest.mark.parametrize("length", [LIMIT + 1, 10**12])
def test_a_body_that_says_it_is_too_large_is_not_even_read(length: int) -> None:
    client = Client(b"x" * 10)
    with pytest.raises(PayloadTooLarge):
        read(client, [(b"content-length", b"%d" % length)])
    assert client.received == 0


@pytest.mark.parametrize("pause", [None, 0.0])
def test_a_body_that_grows_too_large_is_read_no_further(pause: float | None) -> None:
    client = Client(*[b"x" * 300] * 50, pause=pause)
    with pytest.raises(PayloadTooLarge):
        read(client)
    assert client.received == 4


@pytest.mark.parametrize("pieces", [(), (b"{}",), (b'{"a":', b" 1}")])
def test_a_body_whose_client_left_before_its_end_is_none(pieces: tuple[bytes, ...]) -> None:
    client = Client(*pieces, leaves=True)
    with pytest.raises(ClientGone):
        read(client)


def test_a_body_that_lies_about_its_length_is_still_measured() -> None:
    with pytest.raises(PayloadTooLarge):
        read(Client(*[b"x" * 300] * 5), [(b"content-length", b"5")])


@pytest.mark.parametrize("length", [b"many", b"", b"1.5", b"0x10", b"9" * 5000])
def test_a_length_that_is_no_number_is_invalid(length: bytes) -> None:
    with pytest.raises(InvalidRequest):
        read(Client(b"{}"), [(b"content-length", length)])


@pytest.mark.parametrize(
    "client", [Client(stalls=True), Client(b"{", stalls=True), Client(b"{", b"}", pause=30)]
)
def test_a_body_that_does_not_arrive_in_time_is_not_waited_for(client: Client) -> None:
    with pytest.raises(RequestTimeout) as caught:
        read(client, seconds=0.05)
    assert caught.value.headers == (("connection", "close"),)


def test_a_deadline_that_has_passed_already_still_takes_a_body_that_is_there() -> None:
    assert read(Client(b"{}"), seconds=-1) == b"{}"


@pytest.mark.parametrize(
    "kind",
    [
        b"application/json",
        b"Application/JSON",
        b"application/json; charset=utf-8",
        b"application/json;charset=UTF-8",
        b" application/json ",
    ],
)
def test_json_is_json_however_it_is_labelled(kind: bytes) -> None:
    assert read(Client(b"{}"), [(b"content-type", kind)]) == b"{}"


def test_a_body_without_a_label_is_taken_for_json() -> None:
    assert read(Client(b"{}")) == b"{}"


@pytest.mark.parametrize(
    "kind",
    [
        b"",
        b"text/plain",
        b"text/json",
        b"application/jsonp",
        b"application/json+x",
        b"application/x-www-form-urlencoded",
        b"multipart/form-data; boundary=x",
        b"application/octet-stream",
        b"application/vnd.bentoml+pickle",
        b"application/python-pickle",
        b"application/xml",
        b"application/json, text/plain",
    ],
)
def test_other_kinds_are_refused_unread(kind: bytes) -> None:
    client = Client(b"{}")
    with pytest.raises(UnsupportedMediaType):
        read(client, [(b"content-type", kind)])
    assert client.received == 0


@pytest.mark.parametrize("encoding", [b"gzip", b"deflate", b"br", b"identity", b""])
def test_compressed_bodies_are_refused_unread(encoding: bytes) -> None:
    client = Client(b"{}")
    with pytest.raises(UnsupportedMediaType):
        read(client, [(b"content-encoding", encoding)])
    assert client.received == 0


def test_a_reply_carries_its_length_and_kind() -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(
        send_reply(send, Reply(200, b"{}", headers=((b"x-cache", b"hit"),)), [(b"x-request-id", b"r")])
    )
    start, body = sent
    assert start["status"] == 200
    assert start["headers"] == [
        (b"x-request-id", b"r"),
        (b"content-type", b"application/json"),
        (b"content-length", b"2"),
        (b"x-cache", b"hit"),
    ]
    assert body == {"type": "http.response.body", "body": b"{}"}
