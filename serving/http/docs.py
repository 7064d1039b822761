"""`/docs`, `/openapi.json` and `/problems/{code}`: the API explains itself."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from typing import Any

import orjson

from modelkit.errors import NotFound
from serving.http.exchange import Exchange, Reply
from serving.http.problems import problem_types

# `queryConfigEnabled` stays off: `/docs?url=…` must not show somebody else's API under our address, and ask for a password.
SCRIPT = b"""SwaggerUIBundle({url: "/openapi.json", dom_id: "#swagger-ui", deepLinking: true, queryConfigEnabled: false});"""
DOCS_PAGE = (
    b"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Slipway API</title>
<link rel="stylesheet" href="/static_content/swagger-ui.css"></head>
<body><div id="swagger-ui"></div>
<script src="/static_content/swagger-ui-bundle.js"></script>
<script>"""
    + SCRIPT
    + b"""</script>
</body></html>
"""
)
# What people type on this page, they send to us: no other script, no other host, and no frame around it.
POLICY = (
    b"default-src 'none'; connect-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; "
    b"script-src 'self' 'sha256-%s'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
) % base64.b64encode(hashlib.sha256(SCRIPT).digest())
PAGE_HEADERS = (
    (b"content-security-policy", POLICY),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)
DOCS_ASSETS = frozenset({"/static_content/swagger-ui.css", "/static_content/swagger-ui-bundle.js"})


class DocsRoutes:
    """The document is made once, by `describe`, on first request."""

    def __init__(self, describe: Callable[[], dict[str, Any]]) -> None:
        self._describe = describe
        self._document: bytes | None = None

    async def page(self, exchange: Exchange) -> Reply:
        return Reply(200, DOCS_PAGE, b"text/html; charset=utf-8", PAGE_HEADERS)

    async def openapi(self, exchange: Exchange) -> Reply:
        if self._document is None:
            self._document = orjson.dumps(self._describe())
        return Reply(200, self._document)

    async def problem(self, exchange: Exchange, code: str) -> Reply:
        """GET /problems/{code}: what a problem type means."""
        kind = problem_types().get(code)
        if kind is None:
            raise NotFound
        body = {"type": f"/problems/{code}", "title": kind.title, "status": kind.status, "code": code}
        return Reply(200, orjson.dumps(body))
