"""An API server for each test, and a kubeconfig that leads to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fakes.api_server.server import FakeApiServer
from tests.integration.k8s.verb import Result, run

Ask = Callable[..., Result]


@pytest.fixture
def api() -> Iterator[FakeApiServer]:
    with FakeApiServer() as running:
        yield running


@pytest.fixture
def ask(api: FakeApiServer, tmp_path: Path) -> Ask:
    """A verb, asked of that API server, with its answer as JSON."""
    config = api.kubeconfig(tmp_path)

    def asked(verb: str, *options: object) -> Result:
        return run(verb, "--kubeconfig", config, "--output", "json", *options)

    return asked
