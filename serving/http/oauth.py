"""OAuth 2.0's endpoints: tokens for a password, a client's secret or a refresh token (RFC 6749), and revoking (RFC 7009).

There is no authorization endpoint, and nothing here redirects anywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from auth.audit import Origin
from auth.authenticator import Authenticator
from auth.challenges import missing_token
from auth.login import CLIENT, PERSON, Account
from auth.principal import Principal
from auth.scopes import ADMIN, require
from auth.sessions import Tokens, is_refresh_token
from modelkit.errors import BadTokenRequest, InvalidClient, InvalidGrant, Unauthenticated, UnsupportedGrant
from serving.http.exchange import NO_STORE, Exchange, Reply
from serving.http.oauth_parameters import (
    CHALLENGE,
    ClientCredentials,
    Parameters,
    client_of,
    read_parameters,
)
from serving.http.token_desk import TokenDesk

MAX_SUBJECT_LENGTH = 512
Grant = Callable[[Parameters, ClientCredentials | None, Origin], Tokens]


class OAuthRoutes:
    """POST /auth/token and POST /auth/revoke. `refuse_if_stale` raises while an administrator cannot be told from one
    who was one.
    """

    def __init__(
        self,
        desk: TokenDesk,
        authenticator: Authenticator,
        *,
        refuse_if_stale: Callable[[], None],
        max_json_depth: int,
    ) -> None:
        self._desk, self._authenticate = desk, authenticator.authenticate
        self._refuse_if_stale, self._max_json_depth = refuse_if_stale, max_json_depth
        self._grants: dict[str, Grant] = {
            "password": self._password,
            "client_credentials": self._client_credentials,
            "refresh_token": self._refresh_token,
        }

    async def token(self, exchange: Exchange) -> Reply:
        parameters = await read_parameters(exchange, max_json_depth=self._max_json_depth)
        grant_type = parameters.needed("grant_type")
        grant = self._grants.get(grant_type)
        if grant is None:
            raise UnsupportedGrant(f"grant_type is one of {', '.join(self._grants)}")
        client = client_of(exchange, parameters)
        call = partial(grant, parameters, client, self._desk.origin_of(exchange))
        return await self._desk.answer_tokens(grant_type, call)

    async def revoke(self, exchange: Exchange) -> Reply:
        """A token proves itself that it may be revoked by whoever holds it. Unknown ones are as good as revoked."""
        parameters = await read_parameters(exchange, max_json_depth=self._max_json_depth)
        client, caller = client_of(exchange, parameters), self._bearer(exchange)
        origin = self._desk.origin_of(exchange)
        if subject := parameters.get("subject"):
            await self._revoke_subject(subject, caller, origin)
        else:
            await self._revoke_token(parameters.needed("token"), client, origin)
        return Reply(200, b"{}", headers=NO_STORE)

    async def _revoke_subject(self, subject: str, caller: Principal | None, origin: Origin) -> None:
        if caller is None:
            raise missing_token()
        require(caller, ADMIN)
        self._refuse_if_stale()
        if len(subject) > MAX_SUBJECT_LENGTH or not subject.isprintable():
            raise BadTokenRequest("subject is no subject")
        await self._desk.run(partial(self._desk.sessions.revoke_subject, subject, caller, origin))

    async def _revoke_token(self, token: str, client: ClientCredentials | None, origin: Origin) -> None:
        if client is not None and client.secret:
            await self._desk.run(partial(self._proved_client, client, origin))
        if is_refresh_token(token):
            await self._desk.run(partial(self._desk.sessions.revoke_refresh, token, origin))
        elif (principal := self._verified(token)) is not None:
            await self._desk.run(partial(self._desk.sessions.revoke_access, principal, origin))

    def _password(self, parameters: Parameters, client: ClientCredentials | None, origin: Origin) -> Tokens:
        self._check_client(client, origin)
        username, password = parameters.needed("username"), parameters.needed("password")
        try:
            account = self._desk.prove(username=username, password=password, origin=origin, kind=PERSON)
            return self._desk.sessions.open(account, origin, parameters.get("scope"))
        except Unauthenticated as error:
            raise InvalidGrant(error.detail) from None

    def _client_credentials(
        self, parameters: Parameters, client: ClientCredentials | None, origin: Origin
    ) -> Tokens:
        if client is None or not client.secret:
            raise InvalidClient(headers=CHALLENGE)
        account = self._proved_client(client, origin)
        try:
            return self._desk.sessions.open(account, origin, parameters.get("scope"))
        except Unauthenticated:
            raise InvalidClient(headers=CHALLENGE) from None

    def _refresh_token(
        self, parameters: Parameters, client: ClientCredentials | None, origin: Origin
    ) -> Tokens:
        self._check_client(client, origin)
        token = parameters.needed("refresh_token")
        return self._desk.sessions.refresh(token, parameters.get("scope"), origin)

    def _check_client(self, client: ClientCredentials | None, origin: Origin) -> None:
        """Who comes with a secret must be right about it; people's programs have none."""
        if client is not None and client.secret:
            self._proved_client(client, origin)

    def _proved_client(self, client: ClientCredentials, origin: Origin) -> Account:
        try:
            return self._desk.prove(
                username=client.client_id, password=client.secret, origin=origin, kind=CLIENT
            )
        except Unauthenticated:
            raise InvalidClient(headers=CHALLENGE) from None

    def _bearer(self, exchange: Exchange) -> Principal | None:
        """Raises Unauthenticated for a bearer token that is not good: who shows one must be right about it, too."""
        authorization = exchange.headers.get(b"authorization", b"")
        if authorization[:7].lower() != b"bearer ":
            return None
        return self._authenticate(authorization)

    def _verified(self, token: str) -> Principal | None:
        try:
            return self._authenticate(b"Bearer " + token.encode())
        except Unauthenticated:
            return None
