"""The policy file that the settings name, or the empty policy; for the workers, the agent, and the door."""

from __future__ import annotations

from auth.audit import Audit, no_audit
from auth.policy import PolicyFile
from serving.settings import Settings


def policy_file(settings: Settings, *, audit: Audit = no_audit) -> PolicyFile:
    """Raises ValueError, naming the setting, for a file that is wrong or cannot be read."""
    return PolicyFile(
        settings.auth_policy_file,
        audience=settings.jwt_audience,
        own_issuer=settings.jwt_issuer,
        audit=audit,
    )
