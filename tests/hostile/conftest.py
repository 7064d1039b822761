"""One service under attack for all of these tests: patient for two seconds, with room for six hundred connections."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.running_service import RunningService
from tests.hostile.target import target

TIMEOUT_SECONDS, ROOM = 2, 600


@pytest.fixture(scope="session")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    limits = {"REQUEST_TIMEOUT_SECONDS": str(TIMEOUT_SECONDS), "MAX_CONNECTIONS": str(ROOM)}
    with target(tmp_path_factory.mktemp("attacked"), **limits) as service:
        yield service
