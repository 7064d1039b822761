"""Logging in with JSON, refreshing, and who the caller is; OAuth 2.0's own endpoints are in `serving.http.oauth`."""

from __future__ import annotations

from functools import partial
from typing import TypeVar

import orjson
from pydantic import Field, ValidationError

from auth.audit import Origin
from auth.sessions import Tokens
from modelkit.errors import InvalidRequest
from modelkit.schema import RequestModel, field_errors
from serving.http.exchange import NO_STORE, Exchange, Reply
from serving.http.request_rows import refuse_deep
from serving.http.token_desk import LARGEST_BODY, TokenDesk

Body = TypeVar("Body", bound=RequestModel)


class Credentials(RequestModel):
    """Body of POST /login."""

    username: str = Field(min_length=1, max_length=200, description="name of the user")
    password: str = Field(min_length=1, max_length=1024, repr=False, description="password of the user")


class Refreshing(RequestModel):
    """Body of POST /auth/refresh."""

    refresh_token: str = Field(min_length=1, max_length=200, repr=False, description="good for one use")
    scope: str = Field("", max_length=2000, description="fewer scopes for this access token; empty: all")


class IdentityRoutes:
    """POST /login, POST /auth/refresh and GET /auth/me."""

    def __init__(self, desk: TokenDesk, *, max_json_depth: int) -> None:
        self._desk, self._max_json_depth = desk, max_json_depth

    async def login(self, exchange: Exchange) -> Reply:
        credentials = self._read(Credentials, await exchange.json_body(at_most=LARGEST_BODY))
        call = partial(self._logged_in, credentials, self._desk.origin_of(exchange))
        return await self._desk.answer_tokens("login", call)

    async def refresh(self, exchange: Exchange) -> Reply:
        asked = self._read(Refreshing, await exchange.json_body(at_most=LARGEST_BODY))
        origin = self._desk.origin_of(exchange)
        call = partial(self._desk.sessions.refresh, asked.refresh_token, asked.scope, origin)
        return await self._desk.answer_tokens("refresh_token", call)

    async def me(self, exchange: Exchange) -> Reply:
        caller = exchange.caller
        body = {
            "subject": caller.subject,
            "issuer": caller.issuer,
            "scopes": sorted(caller.scopes),
            "expires_at": caller.expires_at,
            "session_id": caller.session_id,
        }
        return Reply(200, orjson.dumps(body), headers=NO_STORE)

    def _logged_in(self, credentials: Credentials, origin: Origin) -> Tokens:
        name, password = credentials.username, credentials.password
        account = self._desk.prove(username=name, password=password, origin=origin)
        return self._desk.sessions.open(account, origin)

    def _read(self, model: type[Body], body: bytes) -> Body:
        refuse_deep(body, self._max_json_depth)
        try:
            return model.model_validate_json(body)
        except ValidationError as error:
            raise InvalidRequest(errors=field_errors(error)) from None
