"""The tokens of one other issuer: an OIDC provider or the cluster itself. Every check that one must pass is here."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import jwt

from auth.challenges import expired_token, invalid_token, unknown_key
from auth.external_format import Unproven, take_apart
from auth.jwk_sets import JwkSet, ProviderKey
from auth.policy_rules import ExternalIssuer, Policy
from auth.principal import Principal
from auth.token_evidence import is_access_token
from auth.tokens import MAX_TOKEN_LENGTH
from modelkit.errors import Unauthenticated

MAX_TOKEN_ID = 128


class KeyRing:
    """The keys of one issuer as this process has them; `generation` changes when they do."""

    def __init__(self) -> None:
        self.keys: JwkSet | None = None
        self.generation = 0

    def replace(self, keys: JwkSet | None) -> bool:
        """Whether they are others."""
        if keys == self.keys:
            return False
        self.keys = keys
        self.generation += 1
        return True


class ExternalVerifier:
    """Implements `auth.tokens.Issuer` for one issuer of one edition of the policy."""

    def __init__(
        self,
        issuer: ExternalIssuer,
        ring: KeyRing,
        *,
        policy: Policy,
        clock: Callable[[], float],
        leeway_seconds: float,
    ) -> None:
        self.name = issuer.name
        self._issuer, self._ring, self._policy = issuer, ring, policy
        self._clock, self._leeway = clock, leeway_seconds
        self._signatures = jwt.PyJWS(algorithms=list(issuer.algorithms))

    def generation(self) -> int:
        return self._ring.generation

    def verify(self, token: str) -> Principal:
        """Raises TokenExpired or Unauthenticated, with `key_missing` where a newer key set might prove the token."""
        try:
            return self._verify(token)
        except Unauthenticated as error:
            error.issuer = self.name
            raise

    def _verify(self, token: str) -> Principal:
        if len(token) > MAX_TOKEN_LENGTH:
            raise invalid_token()
        try:
            unproven = take_apart(token)
        except (ValueError, RecursionError):
            # Not chained: the reason stays in here, and the token in no traceback.
            raise invalid_token() from None
        self._check_header(unproven)
        self._check_claims(unproven)
        self._check_signature(token, unproven, self._key(unproven))
        self._check_life(unproven)
        return self._principal(token, unproven)

    def _check_header(self, unproven: Unproven) -> None:
        header, issuer = unproven.header, self._issuer
        if header.alg not in issuer.algorithms or header.type not in issuer.types:
            raise invalid_token()

    def _check_claims(self, unproven: Unproven) -> None:
        """All but its end: whether a token has expired is told only to those who have a real one."""
        claims, issuer = unproven.registered, self._issuer
        audiences = [claims.aud] if isinstance(claims.aud, str) else claims.aud
        if claims.iss != issuer.issuer or issuer.audience not in audiences:
            raise invalid_token()
        if max(claims.iat, claims.nbf) > self._clock() + self._leeway:
            raise invalid_token()
        if not 0 < claims.exp - claims.iat <= issuer.max_ttl_seconds + self._leeway:
            raise invalid_token()
        if not is_access_token(issuer, unproven.header.type, unproven.claims):
            raise invalid_token()

    def _key(self, unproven: Unproven) -> ProviderKey:
        """The one key that the token can mean. Only for a token that could still live is a newer set worth asking for."""
        header, keys = unproven.header, self._ring.keys
        found = keys.fitting(header.kid, header.alg) if keys is not None else []
        if len(found) == 1:
            return found[0]
        raise self._unknown_key(unproven) if not found else invalid_token()

    def _unknown_key(self, unproven: Unproven) -> Unauthenticated:
        alive = unproven.registered.exp > self._clock() - self._leeway
        return unknown_key() if alive else invalid_token()

    def _check_signature(self, token: str, unproven: Unproven, key: ProviderKey) -> None:
        try:
            self._signatures.decode(token, key.public, algorithms=[unproven.header.alg])
        except (jwt.PyJWTError, ValueError, RecursionError):
            # A provider whose tokens name no key may have another one by now.
            nameless = unproven.header.kid is None
            raise self._unknown_key(unproven) if nameless else invalid_token() from None

    def _check_life(self, unproven: Unproven) -> None:
        if unproven.registered.exp <= self._clock() - self._leeway:
            raise expired_token()

    def _principal(self, token: str, unproven: Unproven) -> Principal:
        claims = unproven.registered
        return Principal(
            subject=f"{self.name}:{claims.sub}",
            issuer=self.name,
            scopes=self._policy.scopes_for(self.name, claims.sub, unproven.claims),
            expires_at=float(claims.exp),
            user_id=None,
            token_id=f"{self.name}:{_token_id(claims.jti, token)}",
            issued_at=float(claims.iat),
        )


def _token_id(jti: str | None, token: str) -> str:
    """Its own name, or a digest. It is written down when a token is revoked, so it must be short and printable."""
    if jti is not None and len(jti) <= MAX_TOKEN_ID and jti.isprintable():
        return jti
    return hashlib.sha256(token.encode()).hexdigest()[:32]
