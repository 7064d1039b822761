"""Reads the policy file strictly: whatever it says that means nothing here is refused, with the place and the reason."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import msgspec

from auth.issuer_block import IssuerBlock, checked_issuer
from auth.policy_checks import (
    PolicyRefused,
    checked_claims,
    checked_pattern,
    checked_scopes,
    refuse_repeated,
)
from auth.policy_rules import KUBERNETES, ExternalIssuer, Grant, LimitRule, Policy, Rate

MAX_POLICY_BYTES = 262_144  # read between two requests: a tenth of a second
BURST_SECONDS = 2.0

Scopes = Annotated[list[str], msgspec.Meta(min_length=1)]


class GrantBlock(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    issuer: str
    scopes: Scopes
    subject: str | None = None
    claims: dict[str, Any] | None = None


class LimitBlock(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    per_second: Annotated[float, msgspec.Meta(gt=0, le=1e6)]
    burst: Annotated[int, msgspec.Meta(ge=1, le=10_000_000)] | None = None
    subject: str | None = None
    model: Annotated[str, msgspec.Meta(min_length=1, max_length=100)] | None = None


class Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    issuers: list[IssuerBlock] = []
    grants: list[GrantBlock] = []
    limits: list[LimitBlock] = []


def read_policy(path: Path, *, audience: str, own_issuer: str) -> Policy:
    """Raises OSError, or PolicyRefused. `audience` is that of issuers which name none."""
    with path.open("rb") as file:
        raw = file.read(MAX_POLICY_BYTES + 1)
    if len(raw) > MAX_POLICY_BYTES:
        raise PolicyRefused(f"it has more than {MAX_POLICY_BYTES} bytes")
    return parse_policy(raw, audience=audience, own_issuer=own_issuer)


def parse_policy(raw: bytes, *, audience: str, own_issuer: str) -> Policy:
    """Raises PolicyRefused."""
    try:
        document = msgspec.convert(tomllib.loads(raw.decode("utf-8")), Document)
    except UnicodeDecodeError:
        raise PolicyRefused("it is not UTF-8") from None
    except (ValueError, OverflowError, RecursionError, msgspec.ValidationError) as error:
        raise PolicyRefused(str(error)) from None
    issuers = tuple(
        checked_issuer(block, f"issuers[{index}]", audience=audience)
        for index, block in enumerate(document.issuers)
    )
    refuse_repeated("issuers", "name", [issuer.name for issuer in issuers])
    refuse_repeated("issuers", "issuer", [issuer.issuer for issuer in issuers])
    if own_issuer in {name for issuer in issuers for name in (issuer.issuer, issuer.name)}:
        raise PolicyRefused(
            f"issuers: {own_issuer!r} is our own JWT_ISSUER and cannot be another issuer, too"
        )
    grants = tuple(_grant(block, f"grants[{index}]", issuers) for index, block in enumerate(document.grants))
    limits = tuple(_limit(block, f"limits[{index}]") for index, block in enumerate(document.limits))
    refuse_repeated("limits", "subject and model", [(rule.subject, rule.model) for rule in limits])
    return Policy(issuers=issuers, grants=grants, limits=limits)


def _grant(block: GrantBlock, place: str, issuers: Iterable[ExternalIssuer]) -> Grant:
    issuer = next((each for each in issuers if each.name == block.issuer), None)
    if issuer is None:
        raise PolicyRefused(f"{place}: there is no issuer {block.issuer!r} in this file")
    if block.subject is None and not block.claims:
        raise PolicyRefused(f'{place}: subject or claims must say to whom; everybody is subject = "*"')
    subject = checked_pattern(block.subject, place)
    if issuer.kind == KUBERNETES and subject.endswith("*") and subject[:-1] and subject[-2] != ":":
        raise PolicyRefused(f"{place}: {subject!r} also fits other namespaces or names: end it with `:*`")
    return Grant(
        issuer=issuer.name,
        scopes=checked_scopes(block.scopes, place),
        subject=subject,
        claims=checked_claims(block.claims or {}, f"{place}.claims"),
    )


def _limit(block: LimitBlock, place: str) -> LimitRule:
    burst = block.burst if block.burst is not None else max(1.0, BURST_SECONDS * block.per_second)
    return LimitRule(
        rate=Rate(per_second=block.per_second, burst=float(burst)),
        subject=checked_pattern(block.subject, place),
        model=block.model or "",
    )
