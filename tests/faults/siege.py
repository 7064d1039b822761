"""The program behind `tests.faults.hostile`: clients by the hundred that mean no good, again and again, until it is ended.

A process of its own: the proxies of a stand must not wait for it. Reads an `Orders` from stdin, says on
stdout when it begins.
"""

from __future__ import annotations

import gzip
import sys
from collections.abc import Callable
from contextlib import suppress

import msgspec

from tests.hostile.answers import NotHttp
from tests.hostile.crowd import crowd
from tests.hostile.wire import Line

BESIEGERS = 600  # more than MAX_IN_FLIGHT
MEGABYTE = 1 << 20


class Orders(msgspec.Struct, frozen=True, kw_only=True):
    """`kind` is a key of KINDS."""

    port: int
    token: str
    kind: str


def _slow_heads(orders: Orders) -> None:
    crowd(orders.port, BESIEGERS, b"GET /livez HTTP/1.1\r\nHost: x\r\n", b"X-A: b\r\n")


def _slow_bodies(orders: Orders) -> None:
    """To a door that knows nobody."""
    crowd(orders.port, BESIEGERS, _post("/login", b" " * 1000)[:-999], b" ")


def _huge_bodies(orders: Orders) -> None:
    known = f"Authorization: Bearer {orders.token}"
    asked = [
        _post("/predict/iris", b"[" * 100_000, known),
        _post("/predict/iris", b'{"a":' * 100_000 + b"1" + b"}" * 100_000, known),
        _post("/predict/iris", gzip.compress(b" " * 64 * MEGABYTE), known, "Content-Encoding: gzip"),
        _post("/predict/iris", b" " * 20 * MEGABYTE, known),
    ]
    with Line(orders.port) as line:
        for question in asked:
            with suppress(NotHttp, OSError):
                line.ask(question, to="POST")


def _post(path: str, body: bytes, *headers: str) -> bytes:
    own = ("Host: x", "Content-Type: application/json", f"Content-Length: {len(body)}")
    return "\r\n".join([f"POST {path} HTTP/1.1", *own, *headers, "", ""]).encode() + body


KINDS: dict[str, Callable[[Orders], None]] = {
    "slow heads": _slow_heads,
    "slow bodies": _slow_bodies,
    "huge bodies": _huge_bodies,
}


def main() -> None:
    orders = msgspec.json.decode(sys.stdin.buffer.read(), type=Orders)
    sys.stdout.write("begins\n")
    sys.stdout.flush()
    while True:
        KINDS[orders.kind](orders)


if __name__ == "__main__":
    main()
