"""The audit trail as log lines of their own logger, `slipway.audit`: one JSON object per event."""

from __future__ import annotations

import structlog


def audit_log(event: str, **facts: object) -> None:
    """Implements `auth.audit.Audit`. Facts that are empty are left out."""
    told = {name: fact for name, fact in facts.items() if fact not in (None, "", ())}
    structlog.get_logger("slipway.audit").info(event, **told)
