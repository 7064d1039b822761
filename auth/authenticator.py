"""Turns an Authorization header into a principal, and remembers those it has verified.

For one event loop: nothing here is locked.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence

from auth.challenges import invalid_token, missing_token, revoked_token
from auth.principal import Principal
from auth.revocations import Revocations
from auth.tokens import MAX_TOKEN_LENGTH, Issuer
from modelkit.errors import TokenExpired, Unauthenticated

SCHEME = b"bearer"
KEY_CHECK_SECONDS = 1.0


class Authenticator:
    """`clock` is seconds since the epoch, as tokens count. `issuers` are asked in order."""

    def __init__(
        self,
        issuers: Sequence[Issuer],
        *,
        clock: Callable[[], float],
        revocations: Revocations | None = None,
        cache_size: int = 10_000,
    ) -> None:
        self._issuers, self._clock, self._cache_size = tuple(issuers), clock, cache_size
        self._verified: OrderedDict[bytes, Principal] = OrderedDict()
        self._revocations = Revocations(clock=clock) if revocations is None else revocations
        self._revocations.on_more(self._forget_revoked)
        self._generations = self._ask_generations()
        self._fresh_from = self._fresh_until = 0.0

    def authenticate(self, authorization: bytes | None) -> Principal:
        """Raises Unauthenticated, TokenExpired or TokenRevoked, with the challenge in the error's headers."""
        now = self._clock()
        # A window, not an upper end: a clock set back must not keep the keys unchecked.
        if not self._fresh_from <= now < self._fresh_until:
            self._notice_other_keys(now)
        principal = self._verified.get(authorization) if authorization else None
        if principal is not None and now < principal.expires_at:
            return principal
        return self._verify(authorization, now)

    def remembered(self, authorization: bytes | None) -> Principal | None:
        """Whose token this was when it was verified, at the price of a look: to be told from others, not to be let in."""
        return self._verified.get(authorization) if authorization else None

    def _verify(self, authorization: bytes | None, now: float) -> Principal:
        if not authorization:
            raise missing_token()
        self._verified.pop(authorization, None)
        principal = self._ask_issuers(_token(authorization))
        if self._revocations.covers(principal):
            refusal = revoked_token()
            refusal.issuer = principal.issuer
            raise refusal
        if now < principal.expires_at and self._cache_size > 0:
            while len(self._verified) >= self._cache_size:
                self._verified.popitem(last=False)
            self._verified[authorization] = principal
        return principal

    def _ask_issuers(self, token: str) -> Principal:
        refusal = invalid_token()
        for issuer in self._issuers:
            try:
                return issuer.verify(token)
            except TokenExpired as error:
                error.issuer = error.issuer or issuer.name
                raise
            except Unauthenticated as error:
                refusal = error
        raise refusal

    def _forget_revoked(self) -> None:
        """Those remembered are asked once, when something is revoked, so that no request has to ask again."""
        covers = self._revocations.covers
        for header in [header for header, principal in self._verified.items() if covers(principal)]:
            del self._verified[header]

    def _notice_other_keys(self, now: float) -> None:
        self._fresh_from, self._fresh_until = now, now + KEY_CHECK_SECONDS
        generations = self._ask_generations()
        if generations != self._generations:
            self._generations = generations
            self._verified.clear()

    def _ask_generations(self) -> tuple[int, ...]:
        return tuple(issuer.generation() for issuer in self._issuers)


def _token(authorization: bytes) -> str:
    scheme, _, token = authorization.partition(b" ")
    if scheme.lower() != SCHEME:
        raise missing_token()
    if not token or len(token) > MAX_TOKEN_LENGTH or not token.isascii():
        raise invalid_token()
    return token.decode("ascii")
