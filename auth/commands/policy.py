"""A policy file before it is rolled out: whether it would be taken, and what it says."""

from __future__ import annotations

from pathlib import Path

from auth.commands.told import Row, Told, table
from auth.policy import PolicyRefused, read_policy


def check(path: Path, *, audience: str, own_issuer: str) -> Told:
    """Raises ValueError with the place and the reason."""
    try:
        policy = read_policy(path, audience=audience, own_issuer=own_issuer)
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}") from None
    except PolicyRefused as error:
        raise ValueError(f"{path}: {error}") from None
    rows: list[Row] = [
        {
            "issuer": issuer.name,
            "iss": issuer.issuer,
            "audience": issuer.audience,
            "keys": issuer.jwks_url or "discovery",
            "types": ",".join(each or "none" for each in issuer.types),
            "grants": sum(grant.issuer == issuer.name for grant in policy.grants),
        }
        for issuer in policy.issuers
    ]
    listed = table(rows, nothing="nobody is believed but ourselves")
    return Told(f"{listed.text}\nlimits: {len(policy.limits)}", rows)
