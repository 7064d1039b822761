"""What a refusal of ours is in gRPC: a status code by the error's class, and its whole problem beside it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import orjson
from grpc import StatusCode

from modelkit.errors import SlipwayError
from serving.http.problems import in_one_sentence, problem_reply

PROBLEM = "slipway-problem-bin"
PUSHBACK = "grpc-retry-pushback-ms"
# Metadata of an answer may be 8 KiB, or the client throws it away; in base64, and with what else is there.
MAX_PROBLEM_BYTES = 4096
MAX_MESSAGE = 512

# By the status that the error's class has in HTTP.
CODES = {
    400: StatusCode.INVALID_ARGUMENT,
    401: StatusCode.UNAUTHENTICATED,
    403: StatusCode.PERMISSION_DENIED,
    404: StatusCode.NOT_FOUND,
    405: StatusCode.UNIMPLEMENTED,
    406: StatusCode.INVALID_ARGUMENT,
    408: StatusCode.DEADLINE_EXCEEDED,
    409: StatusCode.ABORTED,
    413: StatusCode.RESOURCE_EXHAUSTED,
    414: StatusCode.INVALID_ARGUMENT,
    415: StatusCode.INVALID_ARGUMENT,
    422: StatusCode.INVALID_ARGUMENT,
    429: StatusCode.RESOURCE_EXHAUSTED,
    431: StatusCode.RESOURCE_EXHAUSTED,
    499: StatusCode.CANCELLED,
    500: StatusCode.INTERNAL,
    501: StatusCode.UNIMPLEMENTED,
    503: StatusCode.UNAVAILABLE,
    504: StatusCode.DEADLINE_EXCEEDED,
}
# About the connection, which is not ours to speak of in HTTP/2.
_NOT_TOLD = frozenset({"connection", "allow", "content-type"})

Trailing = list[tuple[str, str | bytes]]


class Refusal(NamedTuple):
    code: StatusCode
    message: str
    trailing: Trailing


def refusal_of(error: SlipwayError, *, request_id: str) -> Refusal:
    """The problem is the body that HTTP would have, with as many of its `errors` as metadata can hold."""
    code = CODES[error.status]
    reply = problem_reply(error, request_id=request_id)
    trailing: Trailing = [(PROBLEM, _shortened(reply.body))]
    trailing += told((name, value) for name, value in reply.headers if name.decode() not in _NOT_TOLD)
    waits = {name: value for name, value in reply.headers if name.startswith(b"retry-after")}
    seconds = waits.get(b"retry-after", b"")
    if seconds.isdigit():
        trailing.append((PUSHBACK, waits.get(b"retry-after-ms", b"%d000" % int(seconds)).decode()))
    return Refusal(code, in_one_sentence(error)[:MAX_MESSAGE], trailing)


def told(fields: Iterable[tuple[bytes, bytes]]) -> Trailing:
    """Header fields as metadata."""
    return [(name.decode(), value.decode()) for name, value in fields]


def _shortened(problem: bytes) -> bytes:
    if len(problem) <= MAX_PROBLEM_BYTES:
        return problem
    body = orjson.loads(problem)
    while body["errors"] and len(problem) > MAX_PROBLEM_BYTES:
        body["errors"] = body["errors"][: len(body["errors"]) // 2]
        problem = orjson.dumps(body)
    return problem
