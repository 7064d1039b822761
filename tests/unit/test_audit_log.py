"""The trail is kept whatever the level of the service's log."""

from __future__ import annotations

import json

import pytest
import structlog

from serving.audit import audit_log
from serving.logs import configure_logs


@pytest.mark.parametrize("level", ["DEBUG", "INFO", "WARNING", "ERROR"])
def test_an_event_is_a_line_at_every_level_of_the_log(capfd: pytest.CaptureFixture[str], level: str) -> None:
    lines = configure_logs(level)
    try:
        audit_log("login.refused", request_id="r-1", address="203.0.113.9", issuer="", subject=None)
        lines.flush()
    finally:
        structlog.reset_defaults()
    (line,) = capfd.readouterr().out.splitlines()
    told = json.loads(line)
    assert told.pop("timestamp")
    assert told == {
        "logger": "slipway.audit",
        "level": "info",
        "event": "login.refused",
        "request_id": "r-1",
        "address": "203.0.113.9",
    }
