"""The identity of a request row: what a cache key and a replay are made of.

Equal exactly when the decoded, canonical inputs are equal: `1` and `1.0`, `-0.0` and `0.0`, key order, spelling of
escapes and absent-or-null optional fields all give one fingerprint, because it is taken after decoding.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

DIGEST_BYTES = 16

_encoder = msgspec.json.Encoder()


class Fingerprint:
    """Fingerprints of rows for one model version: a keyed digest over model, version and contract, then the row."""

    def __init__(self, *, model: str, version: str, contract_digest: str) -> None:
        seed = f"{model}\x00{version}\x00{contract_digest}\x00\x00".encode()
        self._seeded = hashlib.blake2b(seed, digest_size=DIGEST_BYTES)

    def of(self, canonical_row: bytes) -> bytes:
        """16 bytes. BLAKE2b, because a caller who could make two rows collide could read another's cached answer."""
        digest = self._seeded.copy()
        digest.update(canonical_row)
        return digest.digest()


def canonical(row: msgspec.Struct) -> bytes:
    """The row as JSON in the order of its schema, shortest floats, no negative zero."""
    encoded = _encoder.encode(row)
    if b"-0.0" in encoded:
        return _encoder.encode({name: _positive_zero(getattr(row, name)) for name in row.__struct_fields__})
    return encoded


def _positive_zero(value: Any) -> Any:
    return value + 0.0 if isinstance(value, float) else value
