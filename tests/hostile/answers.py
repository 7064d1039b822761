"""HTTP/1.1 answers read as strictly as the RFC allows: a client library would forgive what we want to know."""

from __future__ import annotations

import re
from dataclasses import dataclass

_STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ([\x20-\x7e]*)\r\n")
_HEADER = re.compile(rb"([a-z0-9-]+): ([\x20-\x7e]*)\r\n")
_ONCE = ("content-length", "content-type", "date", "x-request-id", "traceparent")
_INTERIM = b"HTTP/1.1 100 Continue\r\n\r\n"


class NotHttp(AssertionError):
    """What was said is no answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def ends(self) -> bool:
        return self.headers.get("connection") == "close"


def first_answer(said: bytes, *, to: str = "GET") -> tuple[Answer | None, bytes]:
    """The first answer and what follows it; None while some of it is missing. Raises NotHttp."""
    while said.startswith(_INTERIM):
        said = said.removeprefix(_INTERIM)
    if b"\r\n\r\n" not in said:
        return None, said
    status, headers, rest = _head(said)
    length = 0 if to == "HEAD" or status in (204, 304) else _length(headers)
    if length is None:
        return _chunked(status, headers, rest, said)
    if len(rest) < length:
        return None, said
    return Answer(status, headers, rest[:length]), rest[length:]


def all_answers(said: bytes, *, heads: bool = False) -> list[Answer]:
    """Of whole answers, one after the other; a last one that was cut off is an error.

    Where some may be `heads`, those are that no body follows but the next answer or nothing.
    """
    found = []
    while said:
        rest = said.removeprefix(_INTERIM).partition(b"\r\n\r\n")[2]
        alone = heads and (not rest or rest.startswith(b"HTTP/1.1 "))
        answer, said = first_answer(said, to="HEAD" if alone else "GET")
        if answer is None:
            raise NotHttp(f"cut off: {said[:200]!r}")
        found.append(answer)
    return found


def _head(said: bytes) -> tuple[int, dict[str, str], bytes]:
    match = _STATUS.match(said)
    if match is None:
        raise NotHttp(f"no status line: {said[:100]!r}")
    headers: dict[str, str] = {}
    place = match.end()
    while said[place : place + 2] != b"\r\n":
        line = _HEADER.match(said, place)
        if line is None:
            raise NotHttp(f"no header: {said[place : place + 100]!r}")
        name, value = line[1].decode(), line[2].decode()
        if name in headers and name in _ONCE:
            raise NotHttp(f"{name} is there twice")
        headers[name] = value
        place = line.end()
    return int(match[1]), headers, said[place + 2 :]


def _length(headers: dict[str, str]) -> int | None:
    """None for chunks."""
    chunked = headers.get("transfer-encoding") == "chunked"
    if chunked == ("content-length" in headers):
        raise NotHttp(f"no length, or two: {headers}")
    return None if chunked else int(headers["content-length"])


def _chunked(status: int, headers: dict[str, str], rest: bytes, said: bytes) -> tuple[Answer | None, bytes]:
    body = b""
    while b"\r\n" in rest:
        line, _, rest = rest.partition(b"\r\n")
        size = int(line, 16)
        if len(rest) < size + 2:
            break
        if rest[size : size + 2] != b"\r\n":
            raise NotHttp("a chunk is longer than it says")
        body, rest = body + rest[:size], rest[size + 2 :]
        if size == 0:
            return Answer(status, headers, body), rest
    return None, said
