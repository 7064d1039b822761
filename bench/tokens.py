"""The bearer token of the load: signed with the run's own key, valid for longer than any run."""

from __future__ import annotations

import time

from auth.keys import SecretKeys
from auth.scopes import PREDICT
from auth.tokens import TokenIssuer

ISSUER = AUDIENCE = "slipway"
LIFE_SECONDS = 6 * 3600


def bearer_token(secret: str, subject: str = "bench") -> str:
    keys = SecretKeys(secret, setting="JWT_SECRET_KEY")
    issuer = TokenIssuer(keys, issuer=ISSUER, audience=AUDIENCE, ttl_seconds=LIFE_SECONDS, clock=time.time)
    return issuer.issue(subject=subject, scopes=frozenset({PREDICT})).access_token
