"""A caller's own sessions: logging out, listing them, and ending one; other people's do not exist here."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

import orjson

from modelkit.errors import SessionNotFound
from records.session_rows import SessionRow
from serving.http.exchange import NO_STORE, Exchange, Reply
from serving.http.token_desk import TokenDesk

PREFIX = "/auth/sessions/"
TEMPLATE = "/auth/sessions/{id}"
_ID = re.compile(r"[0-9a-f]{32}")


class OwnSessionRoutes:
    """POST /auth/logout, GET /auth/sessions and DELETE /auth/sessions/{id}."""

    def __init__(self, desk: TokenDesk) -> None:
        self._desk = desk

    async def log_out(self, exchange: Exchange) -> Reply:
        """Ends the session that the token came from; without one, the token."""
        caller, origin = exchange.caller, self._desk.origin_of(exchange)
        await self._desk.run(partial(self._desk.sessions.log_out, caller, origin))
        return Reply(200, orjson.dumps({"ended": caller.session_id}), headers=NO_STORE)

    async def list(self, exchange: Exchange) -> Reply:
        caller = exchange.caller
        rows = await self._desk.run(partial(self._desk.sessions.list, caller))
        body = {"sessions": [_described(row, current=caller.session_id) for row in rows]}
        return Reply(200, orjson.dumps(body), headers=NO_STORE)

    async def end(self, exchange: Exchange) -> Reply:
        session_id = exchange.scope["path"].removeprefix(PREFIX)
        if not _ID.fullmatch(session_id):
            raise SessionNotFound
        caller, origin = exchange.caller, self._desk.origin_of(exchange)
        await self._desk.run(partial(self._desk.sessions.end, caller, session_id, origin))
        return Reply(200, orjson.dumps({"ended": session_id}), headers=NO_STORE)


def _described(row: SessionRow, *, current: str | None) -> dict[str, Any]:
    return {
        "id": row.session_id,
        "created_at": row.created_at,
        "last_used_at": row.last_used_at,
        "expires_at": row.expires_at,
        "address": row.address,
        "current": row.session_id == current,
    }
