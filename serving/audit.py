"""The audit trail as log lines of their own logger, `slipway.audit`: one JSON object per event, whatever `LOG_LEVEL` says."""

from __future__ import annotations

import logging

import structlog

NAME = "slipway.audit"
_EVERYTHING = structlog.make_filtering_bound_logger(logging.NOTSET)


def audit_log(event: str, **facts: object) -> None:
    """Implements `auth.audit.Audit`. Facts that are empty are left out."""
    told = {name: fact for name, fact in facts.items() if fact not in (None, "", ())}
    logger = structlog.wrap_logger(None, wrapper_class=_EVERYTHING, logger_factory_args=(NAME,))
    logger.info(event, **told)
