"""Sessions of users: opened by a login, kept alive by refresh tokens that are good for one use, and ended at will.

Synchronous, for a bounded pool of threads: every call asks SQL. A refresh token is 256 random bits; SQL keeps its
SHA-256, which is enough for something that nobody can guess.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from auth.audit import Audit, Origin
from auth.challenges import wrong_credentials
from auth.granted_scopes import common, narrowed
from auth.login import CLIENT, Account
from auth.principal import Principal
from auth.revocations import LONGEST_LIFE_SECONDS, SESSION, SUBJECT, TOKEN, Revocation, seconds_ahead
from auth.scopes import format_scopes, parse_scopes
from auth.session_store import SqlSessions
from auth.tokens import IssuedToken, TokenIssuer
from modelkit.errors import IdentityUnavailable, InvalidGrant, SessionNotFound
from records.session_rows import EndedRow, OwnerRow, RefreshRow, ReusedRow, RotatedRow, SessionRow, Turn

REFRESH_BYTES = 32
_REFRESH_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


class Tokens(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of a token endpoint, its members named as in RFC 6749; clients by secret get no refresh token."""

    access_token: str
    token_type: str
    expires_in: int
    scope: str
    refresh_token: str | msgspec.UnsetType = msgspec.UNSET

    def __repr__(self) -> str:
        return f"Tokens(expires_in={self.expires_in}, scope={self.scope!r})"


@dataclass(frozen=True, kw_only=True)
class Lives:
    """Seconds: an access token's, a refresh token's that is not used, a session's; and how far clocks may differ."""

    access: float
    refresh: float
    session: float
    leeway: float


Pace = Callable[[str, str], None]
LOGIN, REFRESH, REVOKE = "login", "refresh", "revoke"


def no_pace(subject: str, act: str) -> None:
    """For programs that hold up nobody."""


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """`announce` hears of every revocation once SQL has it, or could not be asked: then it is all that there is. `pace`
    raises RateLimited for a subject who does something too often. Ending a session is never held up: what there is to end
    was issued at that pace.
    """

    announce: Callable[[Revocation], None]
    audit: Audit
    clock: Callable[[], float]
    pace: Pace = no_pace


class Sessions:
    """Opens, refreshes, lists and ends them; see the module."""

    def __init__(
        self, store: SqlSessions, issuer: TokenIssuer, *, lives: Lives, around: Surroundings
    ) -> None:
        self._store, self._issuer, self._lives = store, issuer, lives
        self._announce, self._audit, self._clock = around.announce, around.audit, around.clock
        self._pace = around.pace

    def open(self, account: Account, origin: Origin, scopes: str | None = None) -> Tokens:
        """For somebody who was proved. Raises InvalidScope, RateLimited, Unauthenticated if he was disabled or got another
        password meanwhile, or
        IdentityUnavailable.
        """
        self._pace(account.username, LOGIN)
        granted, now = narrowed(parse_scopes(account.scopes), scopes), self._clock()
        client, session_id, refresh_token = account.kind == CLIENT, uuid.uuid4().hex, _new_token()
        ends_at = now + (self._lives.access if client else self._lives.session)
        session = SessionRow(
            session_id=session_id,
            user_id=account.user_id,
            address=origin.address or None,
            created_at=_moment(now),
            expires_at=_moment(ends_at),
        )
        refresh = RefreshRow(
            token_hash=_hashed(refresh_token),
            scopes=format_scopes(granted),
            expires_at=_moment(min(now + self._lives.refresh, ends_at)),
        )

        def sign(owner: OwnerRow) -> IssuedToken:
            if owner.password_hash != account.password_hash:  # changed since it was proved
                raise wrong_credentials()
            return self._sign(owner, granted, session_id)

        access = self._store.open(session, None if client else refresh, sign)
        if access is None:
            raise wrong_credentials()
        self._tell("token.issued", origin, subject=account.username, session=session_id, kind=account.kind)
        return _answer(access, None if client else refresh_token)

    def refresh(self, refresh_token: str, scopes: str | None, origin: Origin) -> Tokens:
        """The successor of a refresh token, and a new access token. A token that was used before ends its session.

        Raises InvalidGrant, InvalidScope, RateLimited or IdentityUnavailable; after all but the first it is good still.
        """
        if not is_refresh_token(refresh_token):
            raise InvalidGrant
        now, successor = self._clock(), _new_token()
        turn = Turn(
            token_hash=_hashed(refresh_token),
            successor_hash=_hashed(successor),
            now=_moment(now),
            idle_until=_moment(now + self._lives.refresh),
            revoked_until=_moment(self._revoked_until(now)),
        )
        turned = self._store.rotate(turn, lambda row: (row, self._sign_again(row, scopes)))
        if isinstance(turned, ReusedRow):
            self._tell("token.reused", origin, session=turned.session.session_id, user_id=turned.user_id)
            self._ended(turned.session, self._revocation(SESSION, turned.session.session_id))
        if not isinstance(turned, tuple):
            refused = InvalidGrant()
            refused.reused = isinstance(turned, ReusedRow)
            raise refused
        row, access = turned
        self._tell("token.refreshed", origin, subject=row.owner.username, session=row.session_id)
        return _answer(access, successor)

    def log_out(self, caller: Principal, origin: Origin) -> None:
        """Ends the session that the caller's token came from; without one, only the token."""
        if caller.session_id is None or caller.user_id is None:
            self.revoke_access(caller, origin)
            return
        revocation = self._revocation(SESSION, caller.session_id)
        try:
            self._store.end(caller.user_id, revocation)
        except IdentityUnavailable:
            self._announce(revocation)
            raise
        self._tell("session.ended", origin, subject=caller.subject, session=caller.session_id)
        self._announce(revocation)

    def end(self, caller: Principal, session_id: str, origin: Origin) -> None:
        """Ends one of the caller's own sessions. Raises SessionNotFound for everybody else's, as for none."""
        revocation = self._revocation(SESSION, session_id)
        ended = None if caller.user_id is None else self._store.end(caller.user_id, revocation)
        if ended is None:
            raise SessionNotFound
        self._tell("session.ended", origin, subject=caller.subject, session=session_id)
        self._ended(ended, revocation)

    def list(self, caller: Principal) -> list[SessionRow]:
        """The caller's open sessions, the latest first. Somebody else's user has none here."""
        return [] if caller.user_id is None else self._store.list(caller.user_id, self._clock())

    def revoke_refresh(self, refresh_token: str, origin: Origin) -> None:
        """Ends the session of a refresh token, used or not. Does nothing for one that nobody knows."""
        known = self._store.session_of(_hashed(refresh_token))
        if known is None:
            return
        revocation = self._revocation(SESSION, known[0])
        ended = self._store.end(known[1], revocation)
        if ended is not None:
            self._tell("token.revoked", origin, session=known[0], user_id=known[1])
            self._ended(ended, revocation)

    def revoke_access(self, principal: Principal, origin: Origin) -> None:
        """Refuses one access token from now on, its session's others not, until there were too many: then the session
        ends. Raises RateLimited or IdentityUnavailable.
        """
        self._pace(principal.subject, REVOKE)
        until = principal.expires_at + 2 * self._lives.leeway
        token = Revocation(TOKEN, principal.token_id, self._clock(), until)
        if principal.session_id is None or principal.user_id is None:
            self._revoke(token)
        else:
            self._revoke_one(token, principal.user_id, self._revocation(SESSION, principal.session_id))
        self._tell("token.revoked", origin, subject=principal.subject, token_id=principal.token_id)

    def revoke_subject(self, subject: str, actor: Principal, origin: Origin) -> None:
        """Refuses every access token that a caller has now, and ends a user's sessions. Who may log in gets new ones."""
        now = self._clock()  # other issuers' tokens may live longer than ours
        before = now + seconds_ahead(subject, self._lives.leeway)
        revocation = Revocation(SUBJECT, subject, before, now + LONGEST_LIFE_SECONDS)
        self._revoke(revocation, by=actor.subject, request_id=origin.request_id)
        self._tell("token.revoked", origin, subject=subject, actor=actor.subject)

    def _sign_again(self, turned: RotatedRow, scopes: str | None) -> IssuedToken:
        self._pace(turned.owner.username, REFRESH)
        return self._sign(turned.owner, narrowed(parse_scopes(turned.granted), scopes), turned.session_id)

    def _sign(self, owner: OwnerRow, granted: frozenset[str], session_id: str) -> IssuedToken:
        return self._issuer.issue(
            subject=owner.username,
            scopes=common(granted, parse_scopes(owner.scopes)),
            user_id=owner.user_id,
            session_id=session_id,
        )

    def _revoke_one(self, token: Revocation, user_id: int, session: Revocation) -> None:
        revoked = token
        try:
            revoked = self._store.revoke_token(token, user_id, session)
        finally:
            self._announce(revoked)

    def _ended(self, ended: EndedRow, revocation: Revocation) -> None:
        if ended.in_use:
            self._announce(revocation)

    def _revoke(self, revocation: Revocation, *, by: str = "", request_id: str = "") -> None:
        try:
            self._store.revoke(revocation, by=by, request_id=request_id)
        finally:
            self._announce(revocation)

    def _revocation(self, kind: str, value: str) -> Revocation:
        now = self._clock()
        return Revocation(kind, value, now, self._revoked_until(now))

    def _revoked_until(self, now: float) -> float:
        """Once more the leeway: the clock of who issued the last token may be ahead."""
        return now + self._lives.access + 2 * self._lives.leeway

    def _tell(self, event: str, origin: Origin, **facts: object) -> None:
        self._audit(event, request_id=origin.request_id, address=origin.address, **facts)


def is_refresh_token(text: str) -> bool:
    return _REFRESH_TOKEN.fullmatch(text) is not None


def _new_token() -> str:
    return secrets.token_urlsafe(REFRESH_BYTES)


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _answer(access: IssuedToken, refresh_token: str | None) -> Tokens:
    return Tokens(
        access_token=access.access_token,
        token_type=access.token_type,
        expires_in=access.expires_in,
        scope=access.scope,
        refresh_token=msgspec.UNSET if refresh_token is None else refresh_token,
    )
