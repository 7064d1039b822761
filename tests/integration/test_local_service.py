"""The child process that demos start: it never fails in silence, and never stays behind."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from clients.local_service import LocalService, ServiceFailed

PATIENCE_SECONDS = 20.0


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-u", "-c", code)


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
        return number


def accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_it_runs_until_the_context_ends(tmp_path: Path, port: int) -> None:
    command = (sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(port))
    with LocalService(tmp_path / "log", host="127.0.0.1", port=port, command=command) as service:
        service.wait_until(lambda: accepts(port), seconds=PATIENCE_SECONDS)
    assert not accepts(port)


def test_a_service_that_ends_early_is_reported_with_its_last_words(tmp_path: Path, port: int) -> None:
    command = python("import sys; sys.exit('no settings')")
    service = LocalService(tmp_path / "deep" / "log", host="127.0.0.1", port=port, command=command)
    with service, pytest.raises(ServiceFailed, match="exit code 1"):
        service.wait_until(lambda: False, seconds=PATIENCE_SECONDS)
    assert service.log_tail() == "no settings"


def test_a_service_that_never_gets_ready_is_reported_and_stopped(tmp_path: Path, port: int) -> None:
    service = LocalService(
        tmp_path / "log", host="127.0.0.1", port=port, command=python("import time; time.sleep(600)")
    )
    with service, pytest.raises(ServiceFailed, match="not ready"):
        service.wait_until(lambda: False, seconds=0.2)


def test_a_taken_port_is_named_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        number = other.getsockname()[1]
        with pytest.raises(ServiceFailed, match=f"port {number} is in use"):
            LocalService(tmp_path / "log", host="127.0.0.1", port=number).__enter__()
    assert not (tmp_path / "log").exists()
