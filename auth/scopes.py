"""What a caller may do: the names of the scopes and how a claim lists them (RFC 6749, section 3.3)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from modelkit.errors import InsufficientScope

if TYPE_CHECKING:
    from auth.principal import Principal

PREDICT = "predict"
READ = "read"
FEEDBACK = "feedback"
ADMIN = "admin"
NAMES = (PREDICT, READ, FEEDBACK, ADMIN)

_SCOPE = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]+")


def predict_scope(model: str) -> str:
    """The scope that allows predictions of one model."""
    return f"{PREDICT}:{model}"


def parse_scopes(claim: str) -> frozenset[str]:
    """The scopes of a space-separated claim. Raises ValueError for characters that a scope cannot have."""
    scopes = frozenset(part for part in claim.split(" ") if part)
    for scope in scopes:
        if not _SCOPE.fullmatch(scope):
            raise ValueError("a scope has characters that are not allowed")
    return scopes


def format_scopes(scopes: frozenset[str]) -> str:
    return " ".join(sorted(scopes))


def require(principal: Principal, scope: str) -> None:
    """Raises InsufficientScope, with the scope that would have been enough (RFC 6750, section 3.1)."""
    if scope not in principal.scopes:
        raise insufficient(scope)


def require_predict(principal: Principal, model: str) -> None:
    if not principal.may_predict(model):
        raise insufficient(predict_scope(model))


def insufficient(scope: str) -> InsufficientScope:
    challenge = f'Bearer realm="slipway", error="insufficient_scope", scope="{scope}"'
    return InsufficientScope(f"the scope {scope} is needed", headers=(("WWW-Authenticate", challenge),))
