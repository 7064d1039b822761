"""An instance for each test of the hooks, one that several only look at, and an account with the template's stack."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.ec2.account import Account, read_template
from tests.integration.ec2.instance import Instance, image
from tests.s3_server import S3Server

GOOD, BETTER, NEVER_READY, NO_MIGRATION = image("900d"), image("be77"), image("bad0"), image("f000")


def _new(folder: Path) -> Instance:
    instance = Instance(folder)
    for name in (GOOD, BETTER, NEVER_READY, NO_MIGRATION):
        instance.host.register(name)
    return instance


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[Instance]:
    with _new(tmp_path) as instance:
        yield instance


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """After one deployment that succeeded, with logs going to a log group."""
    with _new(tmp_path_factory.mktemp("instance")) as instance:
        done = instance.tell(LOG_GROUP="/slipway/production").deploy(GOOD)
        assert done.failed is None, done.output
        yield instance


@pytest.fixture(scope="session")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    server = S3Server(tmp_path_factory.mktemp("aws"))
    try:
        yield Account(server.url)
    finally:
        server.stop()


@pytest.fixture(scope="session")
def resources() -> dict[str, Any]:
    return read_template()
