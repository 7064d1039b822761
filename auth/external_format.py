"""What the tokens of other issuers look like inside: read once, strictly where it matters, and open for what we ignore."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec

from auth.token_format import COMPACT, Moment, unique_members

# They would have a token choose its own key, change what its signature covers, or wrap another token.
REFUSED_HEADERS = frozenset({"jku", "jwk", "x5u", "x5c", "crit", "b64", "zip", "enc", "cty"})
MAX_KID = 512

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]


class Header(msgspec.Struct, frozen=True):
    """`kid` only selects among the keys of the issuer's set; None where there is none."""

    alg: str
    typ: str = ""
    kid: Annotated[str, msgspec.Meta(max_length=MAX_KID)] | None = None

    @property
    def type(self) -> str:
        return self.typ.lower().removeprefix("application/")


class Registered(msgspec.Struct, frozen=True):
    """The claims that every token has."""

    iss: str
    aud: str | Annotated[list[str], msgspec.Meta(max_length=100)]
    sub: Text
    exp: Moment
    iat: Moment
    nbf: Moment = 0
    jti: Text | None = None


@dataclass(frozen=True, slots=True)
class Unproven:
    """A token taken apart, of which nothing is believed yet."""

    header: Header
    registered: Registered
    claims: Mapping[str, Any]


class _Named(msgspec.Struct):
    iss: str


def unproven_issuer(token: str) -> str:
    """What a token says who issued it. Raises ValueError."""
    parts = token.split(".", 2)
    if len(parts) != 3:
        raise ValueError("not a token")
    return msgspec.json.decode(_decoded(parts[1]), type=_Named).iss


def take_apart(token: str) -> Unproven:
    """Raises ValueError or RecursionError for what is no token, or one with members that no token of ours needs."""
    if not COMPACT.fullmatch(token):
        raise ValueError("not a signed token")
    head, body, _ = token.split(".")
    members, claims = read_object(_decoded(head)), read_object(_decoded(body))
    if not REFUSED_HEADERS.isdisjoint(members):
        raise ValueError("a header that is refused")
    registered = msgspec.convert(claims, Registered)
    if not registered.sub.isprintable() or registered.sub != registered.sub.strip():
        raise ValueError("a subject that cannot be written down")
    return Unproven(msgspec.convert(members, Header), registered, claims)


def _decoded(segment: str) -> bytes:
    return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))


def read_object(raw: bytes) -> dict[str, Any]:
    """A JSON object in UTF-8 in which nothing is there twice. Raises ValueError or RecursionError."""
    members = json.loads(raw.decode("utf-8"), object_pairs_hook=unique_members, parse_constant=_no_number)
    if not isinstance(members, dict):
        raise ValueError("not an object")
    return members


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")
