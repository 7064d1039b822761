"""Bytes that are no request, or almost one: what scanners, smugglers and broken clients send."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.hostile.messages import Message

TLS_HELLO = bytes.fromhex("16030100c8010000c40303") + b"\x42" * 189
HEADER = b"Host: x\r\n"


def _chunked(rest: bytes, *more: bytes) -> bytes:
    lines = b"".join(line + b"\r\n" for line in more)
    return b"POST /predict/iris HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n%b\r\n%b" % (lines, rest)


# By what they are. Each is a connection's first bytes.
CORPUS: dict[str, bytes] = {
    "nothing but line ends": b"\r\n" * 50,
    "a TLS hello": TLS_HELLO,
    "the preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00",
    "HTTP/0.9": b"GET /livez\r\n\r\n",
    "HTTP/1.0": b"GET /livez HTTP/1.0\r\n\r\n",
    "HTTP/9.9": b"GET /livez HTTP/9.9\r\nHost: x\r\n\r\n",
    "HTTP in small letters": b"GET /livez http/1.1\r\nHost: x\r\n\r\n",
    "SSH": b"SSH-2.0-OpenSSH_9.9\r\n",
    "SMTP": b"EHLO hostile.example\r\n",
    "Redis": b"*1\r\n$4\r\nPING\r\n",
    "nulls": b"\x00" * 300,
    "a path of nulls": b"GET /\x00\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
    "a path of bytes": b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
    "no path": b"GET  HTTP/1.1\r\nHost: x\r\n\r\n",
    "two spaces": b"GET  /livez  HTTP/1.1\r\nHost: x\r\n\r\n",
    "a tab": b"GET\t/livez\tHTTP/1.1\r\nHost: x\r\n\r\n",
    "absolute-form": b"GET http://hostile.example/livez HTTP/1.1\r\nHost: x\r\n\r\n",
    "absolute-form without a path": b"GET http://hostile.example HTTP/1.1\r\nHost: x\r\n\r\n",
    "absolute-form with a password": b"GET http://a:b@hostile.example/livez HTTP/1.1\r\nHost: x\r\n\r\n",
    "authority-form": b"CONNECT hostile.example:443 HTTP/1.1\r\nHost: hostile.example:443\r\n\r\n",
    "authority-form for GET": b"GET hostile.example:443 HTTP/1.1\r\nHost: x\r\n\r\n",
    "CONNECT with a path": b"CONNECT /livez HTTP/1.1\r\nHost: x\r\n\r\n",
    "asterisk-form": b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
    "a fragment": b"GET /livez#/../predict/iris HTTP/1.1\r\nHost: x\r\n\r\n",
    "a method of its own": b"BREW /livez HTTP/1.1\r\nHost: x\r\n\r\n",
    "a method in small letters": b"get /livez HTTP/1.1\r\nHost: x\r\n\r\n",
    "a method without an end": b"G" * 5000,
    "obs-fold": b"GET /livez HTTP/1.1\r\nHost: x\r\nX-A: one\r\n two\r\n\r\n",
    "a fold before any header": b"GET /livez HTTP/1.1\r\n Host: x\r\n\r\n",
    "a space before the colon": b"GET /livez HTTP/1.1\r\nHost : x\r\n\r\n",
    "a header without a name": b"GET /livez HTTP/1.1\r\nHost: x\r\n: x\r\n\r\n",
    "a header without a colon": b"GET /livez HTTP/1.1\r\nHost: x\r\nnonsense\r\n\r\n",
    "a null in a header": b"GET /livez HTTP/1.1\r\nHost: x\r\nX-A: a\x00b\r\n\r\n",
    "control bytes in a header": b"GET /livez HTTP/1.1\r\nHost: x\r\nX-A: \x01\x02\x07\x7f\r\n\r\n",
    "bytes in a header": b"GET /livez HTTP/1.1\r\nHost: x\r\nX-A: \xff\xfe\r\n\r\n",
    "only line feeds": b"GET /livez HTTP/1.1\nHost: x\n\n",
    "only carriage returns": b"GET /livez HTTP/1.1\rHost: x\r\r",
    "no Host": b"GET /livez HTTP/1.1\r\n\r\n",
    "two Hosts": b"GET /livez HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "a Host with a path": b"GET /predict/iris HTTP/1.1\r\nHost: x/livez?\r\n\r\n",
    "two lengths": b"POST /predict/iris HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}}",
    "the same length twice": b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
    "a list of lengths": b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 2, 2\r\n\r\n{}",
    "a negative length": b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n{}",
    "a length with a sign": b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: +2\r\n\r\n{}",
    "a length beyond 64 bits": b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
    "a length in hexadecimals": b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 0x2\r\n\r\n{}",
    "a length and chunks": _chunked(b"0\r\n\r\n", b"Content-Length: 4"),
    "chunks and a length": (
        b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /x HTTP/1.1\r\n"
    ),
    "chunks that are not last": b"POST /login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "chunks with a tab": b"POST /login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding:\tchunked\r\n\r\n0\r\n\r\n",
    "chunks of another name": b"POST /login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "gzip and chunks": b"POST /login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "a chunk of no size": _chunked(b"zz\r\n{}\r\n0\r\n\r\n"),
    "a chunk of a negative size": _chunked(b"-2\r\n{}\r\n0\r\n\r\n"),
    "a chunk beyond 64 bits": _chunked(b"fffffffffffffffff\r\n{}\r\n0\r\n\r\n"),
    "a chunk that is longer than it says": _chunked(b"1\r\n{}\r\n0\r\n\r\n"),
    "a chunk with an extension": _chunked(b'2;a="\r\n{}\r\n0\r\n\r\n'),
    "a trailer that smuggles": _chunked(b"2\r\n{}\r\n0\r\nContent-Length: 100\r\n\r\n"),
    "Expect": b"POST /predict/iris HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n",
    "another Expect": b"POST /predict/iris HTTP/1.1\r\nHost: x\r\nExpect: payment\r\nContent-Length: 2\r\n\r\n{}",
    "an upgrade to WebSocket": (
        b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n\x81\x05hello"
    ),
    "an upgrade to HTTP/2": (
        b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n\r\n"
    ),
    "an unfinished head": b"GET /livez HTTP/1.1\r\nHos",
    "an unfinished body": b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{",
    "a good one and a bad one": b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n\x00\x01\x02\r\n\r\n",
    "a good one and bad chunks": b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n" + _chunked(b"zz\r\n"),
    "a hundred at once": b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n" * 100,
    "ten thousand headers": b"GET /livez HTTP/1.1\r\n" + b"A: b\r\n" * 10_000 + b"\r\n",
    "a header of a megabyte": b"GET /livez HTTP/1.1\r\nHost: x\r\nX-A: " + b"a" * (1 << 20) + b"\r\n\r\n",
    "a first header of a megabyte": b"GET /livez HTTP/1.1\r\nX-A: " + b"a" * (1 << 20) + b"\r\n\r\n",
    "an address of a megabyte": b"GET /" + b"a" * (1 << 20) + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "a trailer of a megabyte": _chunked(b"0\r\nX-A: " + b"a" * (1 << 20)),
    "a chunk's extension of a megabyte": _chunked(b"1;" + b"a" * (1 << 20)),
}


@st.composite
def malformed(draw: st.DrawFn, whole: st.SearchStrategy[Message]) -> bytes:
    """One of the corpus, or a request with bytes cut, changed, put in, doubled; or two of them in a row."""
    kind = draw(st.integers(0, 5))
    if kind == 0:
        return CORPUS[draw(st.sampled_from(sorted(CORPUS)))]
    if kind == 1:
        return draw(st.binary(min_size=1, max_size=200))
    raw = bytearray(draw(whole).raw())
    if kind == 5:
        raw += draw(whole).raw()
    head = raw.find(b"\r\n\r\n") + 4
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, head if kind < 4 else len(raw)))
        put = draw(st.one_of(st.binary(max_size=3), st.sampled_from(_BITS)))
        raw[place : place + draw(st.integers(0, 3))] = put
    return bytes(raw[: draw(st.integers(1, len(raw)))] if draw(st.integers(0, 4)) == 0 else raw)


_BITS: Any = (
    b"\r\n",
    b"\n",
    b"\r",
    b" ",
    b"\t",
    b":",
    b"\x00",
    b"\r\n ",
    b"\r\nContent-Length: 1",
    b"%",
    b"HTTP/1.1",
)
_BITS += (
    b"\r\nTransfer-Encoding: chunked",
    b"\r\n\r\n",
    b"\r\nHost: y",
    b"\r\nAuthorization: Bearer x",
    b"\x7f",
    b"\xff",
)
