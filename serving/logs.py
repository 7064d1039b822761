"""Logs as JSON lines on standard output, one stream for the service and one for what models said."""

from __future__ import annotations

import logging
import sys

import structlog


def configure_logs(level: str) -> None:
    """Sets structlog up once per process. Loggers are `slipway.service`, `slipway.model` and `slipway.agent`."""
    structlog.configure(
        processors=[
            _with_logger_name,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=_NamedLoggers(),
        cache_logger_on_first_use=False,
    )
    _silence_access_log()


def _silence_access_log() -> None:
    """Uvicorn asks whether its access log has handlers before it builds a line per request, for nobody to read."""
    access = logging.getLogger("uvicorn.access")
    access.handlers.clear()
    access.propagate = False


class _Named(structlog.PrintLogger):
    name = ""


class _NamedLoggers:
    """Print loggers that remember the name they were asked for."""

    def __call__(self, name: str = "slipway", *_: object) -> _Named:
        logger = _Named(sys.stdout)
        logger.name = name
        return logger


def _with_logger_name(
    logger: _Named, _: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    return {"logger": logger.name, **event}
