"""The one renderer of errors: RFC 9457 problem details that also carry the `error` of the Open Inference
Protocol, which is a text, or of OAuth 2.0 (RFC 6749, section 5.2), which is a name.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from modelkit.errors import Overloaded, SlipwayError
from serving.http.exchange import NO_STORE, Reply

PROBLEM_JSON = b"application/problem+json"
TYPE_PREFIX = "/problems/"

# RFC 6750 (401, 403), RFC 8628 (429) and RFC 6749, section 4.1.2.1 (500, 503): for errors that have no name of their own.
OAUTH_NAMES = {
    401: "invalid_token",
    403: "insufficient_scope",
    429: "slow_down",
    500: "server_error",
    503: "temporarily_unavailable",
}
OAUTH_DEFAULT = "invalid_request"


def problem_reply(error: SlipwayError, *, request_id: str, oauth: bool = False) -> Reply:
    """`oauth`: for one of OAuth's routes, where every refusal has a name and none is kept by a cache."""
    name = error.oauth or (OAUTH_NAMES.get(error.status, OAUTH_DEFAULT) if oauth else None)
    body: dict[str, Any] = {
        "type": TYPE_PREFIX + error.code,
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
        "instance": f"urn:slipway:request:{request_id}",
        "code": error.code,
        "request_id": request_id,
        "error": name or in_one_sentence(error),
        **({} if name is None else {"error_description": error.detail}),
        "errors": [
            {
                "pointer": item.pointer,
                "detail": item.detail,
                **({} if item.row is None else {"row": item.row}),
            }
            for item in error.errors
        ],
    }
    headers = [(key.lower().encode(), value.encode()) for key, value in error.headers]
    if oauth:
        headers.extend(NO_STORE)
    if isinstance(error, Overloaded) and error.milliseconds:
        headers.append((b"retry-after", b"%d" % -(-error.milliseconds // 1000)))
        headers.append((b"retry-after-ms", b"%d" % error.milliseconds))
    elif error.retry_after_seconds is not None and not any(key == b"retry-after" for key, _ in headers):
        headers.append((b"retry-after", b"%d" % error.retry_after_seconds))
    return Reply(error.status, orjson.dumps(body), PROBLEM_JSON, tuple(headers))


class PreparedRefusal:
    """What `problem_reply` makes of a refusal at the door, made before it is needed: only the id and the wait are missing."""

    def __init__(self) -> None:
        mark = "<id>"
        self._parts = problem_reply(Overloaded(), request_id=mark).body.split(mark.encode())

    def __call__(self, request_id: str, milliseconds: int) -> Reply:
        """`request_id` is one of ours or like those: nothing in it is escaped."""
        headers = (
            (b"retry-after", b"%d" % -(-milliseconds // 1000)),
            (b"retry-after-ms", b"%d" % milliseconds),
        )
        return Reply(Overloaded.status, request_id.encode().join(self._parts), PROBLEM_JSON, headers)


def in_one_sentence(error: SlipwayError) -> str:
    """For clients that show nothing else: with the first of what is wrong, and how many more there are."""
    if not error.errors:
        return error.detail
    first, others = error.errors[0], len(error.errors) - 1
    place = f"{first.pointer}: " if first.pointer else ""
    return f"{error.detail}: {place}{first.detail}" + (f" (and {others} more)" if others else "")


def problem_types() -> dict[str, type[SlipwayError]]:
    """Every kind of problem by its code: the index behind `/problems/{code}` and the API's description."""
    return {kind.code: kind for kind in _descendants(SlipwayError)}


def _descendants(kind: type[SlipwayError]) -> Iterator[type[SlipwayError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _descendants(child)
