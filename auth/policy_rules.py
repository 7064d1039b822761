"""What the policy file says, once it has been read: who is believed, what their callers may do, and how often."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Claims = Mapping[str, Any]

KUBERNETES = "kubernetes"
OIDC = "oidc"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """Rows a second, and how many at once."""

    per_second: float
    burst: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalIssuer:
    """An issuer besides ourselves. `name` is ours for it; `issuer` is its exact `iss`.

    `types` are lower-case and without `application/`; the empty one stands for a token without `typ`. `require` are
    claims that every token must have. `jwks_url` is empty where the provider's discovery document names it. `id_tokens`
    accepts tokens that say who has logged in as if they were made for us, for providers that have no others.
    """

    name: str
    issuer: str
    audience: str
    kind: str = OIDC
    jwks_url: str = ""
    algorithms: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    require: Claims = field(default_factory=dict)
    id_tokens: bool = False
    max_ttl_seconds: float = 3600.0
    ca_file: Path | None = None
    bearer_file: Path | None = None
    scopes_from: str = ""
    allowed_scopes: frozenset[str] = frozenset()

    @property
    def key_source(self) -> str:
        """Whose keys, and from where: keys of another source are none of this issuer's."""
        return f"{self.issuer} {self.jwks_url or 'discovery'}"

    def scopes_in(self, claims: Claims) -> frozenset[str]:
        """What a token says of itself, as far as this issuer may say it."""
        if not self.scopes_from:
            return frozenset()
        said = claims.get(self.scopes_from)
        listed = said.split(" ") if isinstance(said, str) else said if isinstance(said, list) else ()
        return self.allowed_scopes & {each for each in listed if isinstance(each, str)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """Scopes for the callers of one issuer whose subject and claims fit; what is empty fits everybody."""

    issuer: str
    scopes: frozenset[str]
    subject: str = ""
    claims: Claims = field(default_factory=dict)

    def fits(self, subject: str, claims: Claims) -> bool:
        return subject_fits(self.subject, subject) and claims_fit(self.claims, claims)


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitRule:
    """`subject` is a pattern of qualified subjects; `model` a name. What is empty fits every one, each for itself."""

    rate: Rate
    subject: str = ""
    model: str = ""

    @property
    def weight(self) -> tuple[bool, int, bool]:
        """The nearer rule wins: a whole subject before a pattern, a longer one before a shorter, a model before all."""
        pattern = self.subject.endswith("*")
        return bool(self.subject) and not pattern, len(self.subject), bool(self.model)


@dataclass(frozen=True, kw_only=True)
class Policy:
    """One edition of the file. An empty one believes nobody but ourselves and limits nobody."""

    issuers: tuple[ExternalIssuer, ...] = ()
    grants: tuple[Grant, ...] = ()
    limits: tuple[LimitRule, ...] = ()

    def issuer(self, name: str) -> ExternalIssuer | None:
        return next((issuer for issuer in self.issuers if issuer.name == name), None)

    def scopes_for(self, issuer_name: str, subject: str, claims: Claims) -> frozenset[str]:
        """All that the grants give together, for the bare subject of an issuer's token."""
        issuer = self.issuer(issuer_name)
        found = issuer.scopes_in(claims) if issuer is not None else frozenset()
        for grant in self.grants:
            if grant.issuer == issuer_name and grant.fits(subject, claims):
                found |= grant.scopes
        return found

    def limit_for(self, qualified_subject: str, model: str) -> Rate | None:
        """The nearest rule's rate; None where no rule fits, and the settings' default holds."""
        fitting = [
            rule
            for rule in self.limits
            if rule.model in ("", model) and subject_fits(rule.subject, qualified_subject)
        ]
        return max(fitting, key=lambda rule: rule.weight).rate if fitting else None


def subject_fits(pattern: str, subject: str) -> bool:
    if pattern.endswith("*"):
        return subject.startswith(pattern[:-1])
    return pattern in ("", subject)


def claims_fit(wanted: Claims, claims: Claims) -> bool:
    """Each claim equals what is wanted, or is a list that contains it; a table asks of the members of a claim."""
    return all(name in claims and _value_fits(value, claims[name]) for name, value in wanted.items())


def _value_fits(wanted: Any, found: Any) -> bool:
    if isinstance(wanted, Mapping):
        return isinstance(found, Mapping) and claims_fit(wanted, found)
    if isinstance(found, list):
        return any(_same(wanted, each) for each in found)
    return _same(wanted, found)


def _same(wanted: Any, found: Any) -> bool:
    """Of one type: JSON's `true` is no 1."""
    return type(wanted) is type(found) and bool(wanted == found)
