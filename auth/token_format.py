"""What one of our access tokens (RFC 9068) looks like inside, strictly typed."""

from __future__ import annotations

import base64
import json
import re
from typing import Annotated, Any

import msgspec

TOKEN_TYPE = "at+jwt"  # noqa: S105 (a type, not a secret)
ACCEPTED_TYPES = (TOKEN_TYPE, "application/at+jwt")

# Unpadded base64url three times, with a signature: nothing to trim, and one spelling of one token.
COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")

# Ends up in logs and in text columns, where control characters do harm.
PlainText = Annotated[str, msgspec.Meta(max_length=255, pattern=r"^[^\x00-\x1f\x7f]+\Z")]

# Seconds since the epoch. Bounded, because JSON has integers that no float can hold.
Moment = Annotated[int, msgspec.Meta(ge=-(2**53), le=2**53)] | float
RowId = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
Microseconds = Annotated[int, msgspec.Meta(ge=0, lt=1_000_000)]


class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Exactly what our own tokens carry, so that `jku`, `jwk`, `x5u`, `x5c`, `crit` and `b64` are refused."""

    alg: str
    typ: str
    kid: str


class Claims(msgspec.Struct, frozen=True, omit_defaults=True):
    """`iat_us` belongs to `iat`, which is whole: some libraries count whole seconds, and take the rest for the future."""

    iss: str
    aud: str
    sub: PlainText
    jti: PlainText
    exp: Moment
    iat: Moment
    nbf: Moment = 0
    scope: str = ""
    uid: RowId | None = None
    sid: PlainText | None = None
    iat_us: Microseconds = 0

    def issued_at(self) -> float:
        return self.iat + self.iat_us / 1_000_000


def read_header(segment: str) -> Header:
    """Raises ValueError (msgspec's errors are such) for anything that is not one of our headers."""
    document = base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    refuse_repeated_members(document)
    return msgspec.json.decode(document, type=Header)


def read_claims(document: bytes) -> Claims:
    """Raises ValueError for a missing claim, a claim of another type, or one that is there twice."""
    refuse_repeated_members(document)
    return msgspec.json.decode(document, type=Claims)


def refuse_repeated_members(document: bytes) -> None:
    """Two readers of the same token must not see two different values (RFC 7515, section 4)."""
    json.loads(document, object_pairs_hook=unique_members)


def unique_members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """For json.loads. Raises ValueError."""
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member is there twice")
    return members
