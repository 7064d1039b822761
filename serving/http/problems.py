"""The one renderer of errors: RFC 9457 problem details that also carry the `error` of the Open Inference
Protocol and of OAuth 2.0 (RFC 6749, section 5.2).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from modelkit.errors import SlipwayError
from serving.http.exchange import Reply

PROBLEM_JSON = b"application/problem+json"
TYPE_PREFIX = "/problems/"


def problem_reply(error: SlipwayError, *, request_id: str) -> Reply:
    body: dict[str, Any] = {
        "type": TYPE_PREFIX + error.code,
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
        "instance": f"urn:slipway:request:{request_id}",
        "code": error.code,
        "request_id": request_id,
        "error": error.oauth or error.detail,
        **({} if error.oauth is None else {"error_description": error.detail}),
        "errors": [
            {
                "pointer": item.pointer,
                "detail": item.detail,
                **({} if item.row is None else {"row": item.row}),
            }
            for item in error.errors
        ],
    }
    headers = [(name.lower().encode(), value.encode()) for name, value in error.headers]
    if error.retry_after_seconds is not None and not any(name == b"retry-after" for name, _ in headers):
        headers.append((b"retry-after", b"%d" % error.retry_after_seconds))
    return Reply(error.status, orjson.dumps(body), PROBLEM_JSON, tuple(headers))


def problem_types() -> dict[str, type[SlipwayError]]:
    """Every kind of problem by its code: the index behind `/problems/{code}` and the API's description."""
    return {kind.code: kind for kind in _descendants(SlipwayError)}


def _descendants(kind: type[SlipwayError]) -> Iterator[type[SlipwayError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _descendants(child)
