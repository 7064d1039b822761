"""One `[[issuers]]` block of the policy file, and what it means where it says nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from auth.policy_checks import (
    PolicyRefused,
    checked_algorithms,
    checked_claims,
    checked_scopes,
    checked_url,
)
from auth.policy_rules import KUBERNETES, ExternalIssuer

RESERVED = frozenset({"own", "login", "unknown"})  # names of ours in subjects and metrics
ACCESS_TOKEN = "at+jwt"  # noqa: S105 (a type, not a secret)
WITHOUT_TYPE = "none"

Names = Annotated[list[str], msgspec.Meta(min_length=1, max_length=20)]

CLUSTER_KEYS = "https://kubernetes.default.svc/openid/v1/jwks"
CLUSTER_FOLDER = Path("/var/run/secrets/slipway-cluster")
KUBERNETES_TTL = 3607.0  # what a kubelet asks for where nobody says otherwise
OIDC_TTL = 3600.0


class IssuerBlock(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    name: Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9-]{0,39}\Z")]
    issuer: Annotated[str, msgspec.Meta(min_length=1, max_length=512)]
    kind: Literal["oidc", "kubernetes"] = "oidc"
    audience: Annotated[str, msgspec.Meta(min_length=1, max_length=512)] | None = None
    jwks_url: str | None = None
    discovery: bool = False
    algorithms: Names | None = None
    types: Names | None = None
    require: dict[str, Any] | None = None
    id_tokens: bool = False
    max_ttl_seconds: Annotated[float, msgspec.Meta(gt=0, le=86_400)] | None = None
    ca_file: str | None = None
    bearer_file: str | None = None
    scopes_from: Annotated[str, msgspec.Meta(min_length=1)] | None = None
    allowed_scopes: Names | None = None


def checked_issuer(block: IssuerBlock, place: str, *, audience: str) -> ExternalIssuer:
    """Raises PolicyRefused."""
    place = f"{place} ({block.name})"
    if block.name in RESERVED:
        raise PolicyRefused(f"{place}: the name {block.name} is ours")
    if block.id_tokens and block.kind == KUBERNETES:
        raise PolicyRefused(f"{place}: a cluster has no ID tokens")
    if (block.scopes_from is None) != (block.allowed_scopes is None):
        raise PolicyRefused(f"{place}: scopes_from and allowed_scopes go together")
    cluster = block.kind == KUBERNETES
    ca_file, bearer_file = _files(block, place)
    default_algorithms = ["RS256", "ES256", "ES384", "ES512"] if cluster else ["RS256", "ES256"]
    return ExternalIssuer(
        name=block.name,
        issuer=checked_url(block.issuer, f"{place}.issuer", query=False),
        audience=block.audience or audience,
        kind=block.kind,
        jwks_url=_keys_url(block, place),
        algorithms=checked_algorithms(block.algorithms or default_algorithms, f"{place}.algorithms"),
        types=_types(block, place),
        require=checked_claims(block.require or {}, f"{place}.require"),
        id_tokens=block.id_tokens,
        max_ttl_seconds=block.max_ttl_seconds or (KUBERNETES_TTL if cluster else OIDC_TTL),
        ca_file=ca_file,
        bearer_file=bearer_file,
        scopes_from=block.scopes_from or "",
        allowed_scopes=checked_scopes(block.allowed_scopes or [], f"{place}.allowed_scopes"),
    )


def _is_preset(block: IssuerBlock) -> bool:
    return block.kind == KUBERNETES and block.jwks_url is None and not block.discovery


def _keys_url(block: IssuerBlock, place: str) -> str:
    if block.jwks_url is not None:
        if block.discovery:
            raise PolicyRefused(f"{place}: either jwks_url or discovery")
        return checked_url(block.jwks_url, f"{place}.jwks_url")
    if block.discovery:
        return ""
    if _is_preset(block):
        return CLUSTER_KEYS
    raise PolicyRefused(f"{place}: jwks_url or discovery = true must say where its keys are")


def _files(block: IssuerBlock, place: str) -> tuple[Path | None, Path | None]:
    """The cluster's token is for the cluster: it is a preset for the cluster's own address only."""
    preset = _is_preset(block)
    found: list[Path | None] = []
    for member, given, own in (
        ("ca_file", block.ca_file, CLUSTER_FOLDER / "ca.crt"),
        ("bearer_file", block.bearer_file, CLUSTER_FOLDER / "token"),
    ):
        if given is not None and not Path(given).is_absolute():
            raise PolicyRefused(f"{place}.{member}: {given!r} is no absolute path")
        found.append(Path(given) if given is not None else own if preset else None)
    return found[0], found[1]


def _types(block: IssuerBlock, place: str) -> tuple[str, ...]:
    if block.types is None:
        return ("", "jwt") if block.kind == KUBERNETES or block.id_tokens else (ACCESS_TOKEN,)
    types = tuple(each.lower().removeprefix("application/") for each in block.types)
    if not all(types):
        raise PolicyRefused(f'{place}.types: a token without a type is "{WITHOUT_TYPE}"')
    return tuple(dict.fromkeys("" if each == WITHOUT_TYPE else each for each in types))
