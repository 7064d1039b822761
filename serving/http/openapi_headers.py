"""The header fields of answers, as the OpenAPI document describes them."""

from __future__ import annotations

from typing import Any

TEXT: dict[str, Any] = {"type": "string"}


def header(description: str, *, required: bool = False, **schema: Any) -> dict[str, Any]:
    return {"description": description, "required": required, "schema": schema or TEXT}


REQUEST_ID = {
    "X-Request-ID": header(
        "The request's own, if it was one; also in logs and records.",
        required=True,
        type="string",
        pattern="^[A-Za-z0-9._:-]{1,128}$",
    ),
    "traceparent": header(
        "Our span in the trace that the request's own names, or in a new one (W3C trace context).",
        required=True,
        type="string",
        pattern="^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$",
    ),
}
# Told in words: as a parameter it would forbid every other header, to those who test by the description.
PATIENCE = "`X-Request-Timeout-Ms` says how long you wait: what is not begun by then is not done."
NO_STORE = {"Cache-Control": header("Never kept by a cache.", required=True, type="string", const="no-store")}
RATE_LIMIT = {
    "RateLimit-Policy": header('Rows in a window: `"iris";q=20;w=2`. Absent where there is no limit.'),
    "RateLimit": header('Rows that are left, and seconds until it is more: `"iris";r=7;t=1`.'),
    "RateLimit-Limit": header("The same for older clients: rows in a window.", type="integer", minimum=0),
    "RateLimit-Remaining": header("Rows that are left.", type="integer", minimum=0),
    "RateLimit-Reset": header("Seconds until it is more.", type="integer", minimum=1),
}
ANSWERED = {
    "X-Model-Version": header("The version that answered.", required=True),
    "X-Cache": header(
        "Whether every row was known already.", required=True, type="string", enum=["hit", "miss"]
    ),
    **RATE_LIMIT,
}
PREDICTED = {**ANSWERED, "X-Prediction-ID": header("Of the prediction; absent where there are several.")}
_CLOSED = {
    "Connection": header("There where the rest of the body is not read.", type="string", const="close")
}
_WAIT = {"Retry-After": header("Seconds to wait.", required=True, type="integer", minimum=1)}
_WAIT_FINELY = {
    "Retry-After-Ms": header("The same in milliseconds; of `overloaded`.", type="integer", minimum=1)
}
OF_STATUS: dict[int, dict[str, Any]] = {
    401: {"WWW-Authenticate": header("How to prove who asks (RFC 9110, RFC 6750).", required=True)},
    408: _CLOSED,
    429: {**_WAIT, **RATE_LIMIT},
    503: {**_WAIT, **_WAIT_FINELY},
}
