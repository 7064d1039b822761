"""One service under attack for all of these tests: patient for two seconds, with files for seven hundred connections."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from serving.connections.descriptors import KEPT_BACK
from tests.e2e.running_service import RunningService
from tests.hostile.target import target

TIMEOUT_SECONDS, ROOM = 2, 700
FILES = (300, ROOM + KEPT_BACK)


@pytest.fixture(scope="session")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    folder = tmp_path_factory.mktemp("attacked")
    with target(folder, files=FILES, REQUEST_TIMEOUT_SECONDS=str(TIMEOUT_SECONDS)) as service:
        yield service
