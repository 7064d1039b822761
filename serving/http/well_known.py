"""GET /.well-known/jwks.json: the public keys with which anybody can verify our tokens without asking us again."""

from __future__ import annotations

import msgspec

from auth.jwk_document import JwkSet
from auth.keys import KeySet
from serving.http.exchange import Exchange, Reply

JWK_SET_JSON = b"application/jwk-set+json"
MAX_AGE_SECONDS = 300


class WellKnownRoutes:
    """What a cache keeps must be old before a new key signs: half of the time in which one only verifies."""

    def __init__(self, keys: KeySet, *, settle_seconds: float) -> None:
        self._keys = keys
        age = min(MAX_AGE_SECONDS, int(settle_seconds / 2))
        self._headers = ((b"cache-control", b"public, max-age=%d" % age),)

    async def jwks(self, exchange: Exchange) -> Reply:
        body = msgspec.json.encode(JwkSet(keys=self._keys.published()))
        return Reply(200, body, JWK_SET_JSON, self._headers)
