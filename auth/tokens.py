"""Our own access tokens (RFC 9068): how they are made, and every check that one must pass."""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable
from typing import Protocol

import jwt
import msgspec

from auth.challenges import expired_token, invalid_token
from auth.keys import ALGORITHMS, KeySet
from auth.principal import Principal
from auth.scopes import format_scopes, parse_scopes
from auth.token_format import ACCEPTED_TYPES, COMPACT, TOKEN_TYPE, Claims, read_claims, read_header

MAX_TOKEN_LENGTH = 8192
MAX_LEEWAY_SECONDS = 30


class IssuedToken(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of a token endpoint, its members named as in RFC 6749."""

    access_token: str
    token_type: str = "Bearer"  # noqa: S105 (a type, not a secret)
    expires_in: int
    scope: str

    def __repr__(self) -> str:
        return f"IssuedToken(expires_in={self.expires_in}, scope={self.scope!r})"


class Issuer(Protocol):
    """Port: someone whose tokens are accepted here."""

    @property
    def name(self) -> str: ...

    def verify(self, token: str) -> Principal:
        """Raises Unauthenticated, or TokenExpired for a token that was good once."""

    def generation(self) -> int:
        """Another number when tokens that were verified before must be verified again."""


class TokenIssuer:
    """Makes access tokens; `clock` is seconds since the epoch."""

    def __init__(
        self, keys: KeySet, *, issuer: str, audience: str, ttl_seconds: int, clock: Callable[[], float]
    ) -> None:
        self._keys, self._issuer, self._audience = keys, issuer, audience
        self._ttl_seconds, self._clock = ttl_seconds, clock

    def issue(
        self,
        *,
        subject: str,
        scopes: frozenset[str],
        user_id: int | None = None,
        token_id: str | None = None,
        session_id: str | None = None,
    ) -> IssuedToken:
        """Issued at this very moment. What is read from a database for it stays locked meanwhile, so that whoever changes
        it can revoke what was issued before.
        """
        key = self._keys.signing_key()
        now, microseconds = divmod(math.floor(self._clock() * 1_000_000), 1_000_000)
        scope = format_scopes(scopes)
        claims = Claims(
            iss=self._issuer,
            aud=self._audience,
            sub=subject,
            jti=token_id or uuid.uuid4().hex,
            exp=now + self._ttl_seconds,
            iat=now,
            nbf=now,
            scope=scope,
            uid=user_id,
            sid=session_id,
            iat_us=microseconds,
        )
        header = {"typ": TOKEN_TYPE, "kid": key.kid}
        token = jwt.encode(msgspec.to_builtins(claims), key.private, algorithm=key.algorithm, headers=header)
        return IssuedToken(access_token=token, expires_in=self._ttl_seconds, scope=scope)


class JwtVerifier:
    """Accepts what a TokenIssuer with the same keys, issuer and audience made, and nothing else."""

    def __init__(
        self,
        keys: KeySet,
        *,
        issuer: str,
        audience: str,
        clock: Callable[[], float],
        leeway_seconds: float = 5.0,
    ) -> None:
        if not 0 <= leeway_seconds <= MAX_LEEWAY_SECONDS:
            raise ValueError(f"leeway_seconds must be between 0 and {MAX_LEEWAY_SECONDS}")
        self.name = issuer
        self._keys, self._audience = keys, audience
        self._clock, self._leeway = clock, leeway_seconds
        self._signatures = jwt.PyJWS(algorithms=list(ALGORITHMS))

    def generation(self) -> int:
        return self._keys.generation()

    def verify(self, token: str) -> Principal:
        if len(token) > MAX_TOKEN_LENGTH:
            raise invalid_token()
        try:
            claims = read_claims(self._signed_payload(token))
            scopes = parse_scopes(claims.scope)
        except (jwt.PyJWTError, ValueError, RecursionError):
            # Not chained: the reason stays in here, and the token in no traceback.
            raise invalid_token() from None
        self._check(claims)
        return Principal(
            subject=claims.sub,
            issuer=self.name,
            scopes=scopes,
            expires_at=float(claims.exp),
            user_id=claims.uid,
            token_id=claims.jti,
            issued_at=claims.issued_at(),
            session_id=claims.sid,
        )

    def _signed_payload(self, token: str) -> bytes:
        if not COMPACT.fullmatch(token):
            raise ValueError("not a signed token")
        header = read_header(token.partition(".")[0])
        key = self._keys.verification_key(header.kid)
        if key is None or header.alg != key.algorithm or header.typ.lower() not in ACCEPTED_TYPES:
            raise ValueError("not one of our tokens")
        payload: bytes = self._signatures.decode(token, key.public, algorithms=[key.algorithm])
        return payload

    def _check(self, claims: Claims) -> None:
        now = self._clock()
        if claims.iss != self.name or claims.aud != self._audience:
            raise invalid_token()
        if max(claims.iat, claims.nbf) > now + self._leeway:
            raise invalid_token()
        if claims.exp <= now - self._leeway:
            raise expired_token()
