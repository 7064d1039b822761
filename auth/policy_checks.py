"""What single values of the policy file may be. Every refusal names the place, and what is wrong there."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping, Sequence
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from auth.scopes import NAMES

ASYMMETRIC = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "EdDSA"),
)
MAX_PATTERN = 512

_PREDICT_ONE = re.compile(r"predict:[a-z0-9][a-z0-9._-]{0,99}")
_CONTROL = re.compile(r"[\x00-\x20\x7f]")


class PolicyRefused(ValueError):
    """One line that an operator can act on. It may quote what the file says, which is no secret."""


def checked_url(text: str, place: str, *, query: bool = True) -> str:
    """An address that nobody on the way can answer for: https, or this machine itself."""
    if _CONTROL.search(text):
        raise PolicyRefused(f"{place}: an address has no spaces")
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise PolicyRefused(f"{place}: {text!r} is no address") from None
    if parts.scheme not in ("https", "http") or not host:
        raise PolicyRefused(f"{place}: {text!r} is no address: it starts with https://")
    if parts.scheme == "http" and not _is_loopback(host):
        raise PolicyRefused(f"{place}: {text!r} must be https:// (http:// is for this machine only)")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise PolicyRefused(f"{place}: an address has no user, no password and no fragment")
    if parts.query and not query:
        raise PolicyRefused(f"{place}: an issuer's address has no query")
    return text


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def checked_algorithms(names: Sequence[str], place: str) -> tuple[str, ...]:
    for name in names:
        if name.upper().startswith("HS"):
            raise PolicyRefused(
                f"{place}: {name} is a shared secret, which other issuers are not believed by"
            )
        if name.lower() == "none":
            raise PolicyRefused(f"{place}: {name} is no signature")
        if name not in ASYMMETRIC:
            raise PolicyRefused(f"{place}: {name!r} is not one of {', '.join(ASYMMETRIC)}")
    refuse_repeated(place, "algorithm", names)
    return tuple(names)


def checked_scopes(names: Sequence[str], place: str) -> frozenset[str]:
    for name in names:
        if name not in NAMES and not _PREDICT_ONE.fullmatch(name):
            raise PolicyRefused(f"{place}: {name!r} is none of {', '.join(NAMES)}, predict:<model>")
    return frozenset(names)


def checked_pattern(pattern: str | None, place: str) -> str:
    """A whole subject, or the beginning of some with a `*` at the end. Empty where there is none."""
    if pattern is None:
        return ""
    if not pattern or len(pattern) > MAX_PATTERN or not pattern.isprintable():
        raise PolicyRefused(f"{place}: a subject has 1 to {MAX_PATTERN} printable characters")
    if "*" in pattern[:-1]:
        raise PolicyRefused(f"{place}: {pattern!r} has a * that is not at its end")
    return pattern


def checked_claims(claims: Mapping[str, Any], place: str) -> Mapping[str, Any]:
    """Text, whole numbers and truth values, or tables of such."""
    for name, value in claims.items():
        if not name:
            raise PolicyRefused(f"{place}: a claim has a name")
        if isinstance(value, Mapping):
            if not value:
                raise PolicyRefused(f"{place}.{name}: an empty table fits every token")
            checked_claims(value, f"{place}.{name}")
        elif not isinstance(value, str | int):
            raise PolicyRefused(
                f"{place}.{name}: a claim is compared with text, a whole number or a truth value"
            )
    return dict(claims)


def refuse_repeated(place: str, what: str, values: Sequence[Hashable]) -> None:
    for index, value in enumerate(values):
        if value in values[:index]:
            raise PolicyRefused(f"{place}: {what} {value!r} is there twice")
