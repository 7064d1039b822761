"""Whether a token of another issuer was made for calling services, and not to tell a client who has logged in.

Only `typ: at+jwt` (RFC 9068) says so plainly. Where the policy accepts other types, it takes more: nothing that only
tokens of other kinds carry, and something that only an access token has. What the policy's `require` names comes on top
of that and stands for none of it: roles and groups are in ID tokens, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from auth.policy_rules import KUBERNETES, Claims, ExternalIssuer, claims_fit

ACCESS_TOKEN = "at+jwt"  # noqa: S105 (a type, not a secret)

# OpenID Connect Core, sections 2 and 3.1.3.6, and Session Management: these belong to a login at a client.
ID_TOKEN_MARKS = frozenset({"nonce", "at_hash", "c_hash", "s_hash"})
# Logout tokens and security events (RFC 8417).
EVENTS = "events"
# How Keycloak and Cognito tell their tokens apart, inside the claims.
OTHER_KINDS = frozenset(
    {("typ", "id"), ("typ", "refresh"), ("typ", "offline"), ("typ", "logout"), ("token_use", "id")}
)
ACCESS_KINDS = frozenset({("typ", "bearer"), ("token_use", "access")})
# Scopes, the client, and at Entra how that client was proved; `azp` is in ID tokens of Google and Keycloak as well.
ACCESS_TOKEN_MARKS = ("scope", "scp", "client_id", "azpacr")

NAMESPACE_CLAIM = "kubernetes.io"


def is_access_token(issuer: ExternalIssuer, kind: str, claims: Claims) -> bool:
    """`kind` is the token's type, lower-case and without `application/`."""
    if not claims_fit(issuer.require, claims):
        return False
    if issuer.kind == KUBERNETES:
        return _is_service_account(claims)
    if kind == ACCESS_TOKEN:
        return True
    if EVENTS in claims:
        return False
    if issuer.id_tokens:
        return not _says(claims, OTHER_KINDS - {("typ", "id"), ("token_use", "id")})
    if not ID_TOKEN_MARKS.isdisjoint(claims) or _says(claims, OTHER_KINDS):
        return False
    return _says(claims, ACCESS_KINDS) or any(claims.get(mark) for mark in ACCESS_TOKEN_MARKS)


def _says(claims: Claims, kinds: frozenset[tuple[str, str]]) -> bool:
    return any(str(claims.get(name, "")).lower() == kind for name, kind in kinds)


def _is_service_account(claims: Claims) -> bool:
    """A bound token names its account twice. The tokens of old that never expire have another issuer and no `exp`."""
    bound = claims.get(NAMESPACE_CLAIM)
    if not isinstance(bound, Mapping):
        return False
    account: Any = bound.get("serviceaccount")
    name = account.get("name") if isinstance(account, Mapping) else None
    return bool(name) and claims.get("sub") == f"system:serviceaccount:{bound.get('namespace')}:{name}"
