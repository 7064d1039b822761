"""Events as JSON lines on standard output, each logger under its own name."""

from __future__ import annotations

import atexit
import logging

import structlog

from serving.event_lines import EventLines


def configure_logs(level: str) -> EventLines:
    """Sets structlog up once per process. Loggers are `slipway.service`, `slipway.audit` and `slipway.agent`.

    What is told last is written before an ordinary exit; whoever leaves without one has to `flush` what this returns.
    """
    lines = EventLines()
    atexit.register(lines.flush)
    structlog.configure(
        processors=[
            _with_logger_name,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=_NamedLoggers(lines),
        cache_logger_on_first_use=False,
    )
    _silence_access_log()
    return lines


def _silence_access_log() -> None:
    """Uvicorn asks whether its access log has handlers before it builds a line per request, for nobody to read."""
    access = logging.getLogger("uvicorn.access")
    access.handlers.clear()
    access.propagate = False


class _Named:
    """What structlog asks of a logger: a method per level."""

    def __init__(self, name: str, lines: EventLines) -> None:
        self.name = name
        self.msg = self.debug = self.info = self.warning = self.error = self.critical = self.exception = (
            lines.put
        )


class _NamedLoggers:
    """Loggers that remember the name they were asked for."""

    def __init__(self, lines: EventLines) -> None:
        self._lines = lines

    def __call__(self, name: str = "slipway", *_: object) -> _Named:
        return _Named(name, self._lines)


def _with_logger_name(
    logger: _Named, _: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    return {"logger": logger.name, **event}
