"""What the end-to-end tests share: trained versions, made once, and services that serve a copy of their registry."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.e2e.running_service import RunningService
from tests.e2e.trained_registry import KNOBS, TrainedRegistry, train_registry

StartService = Callable[..., RunningService]


@pytest.fixture(scope="session")
def trained_registry(tmp_path_factory: pytest.TempPathFactory) -> TrainedRegistry:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow's own
        return train_registry(tmp_path_factory.mktemp("registry"))


@pytest.fixture
def start_service(trained_registry: TrainedRegistry, tmp_path: Path) -> Iterator[StartService]:
    """Starts a service with these settings and waits until it is ready; it stops when the test ends."""
    with ExitStack() as services:

        def start(**settings: str) -> RunningService:
            tracking_uri, database_url = trained_registry.copy(tmp_path)
            served = {"MODELS": ",".join(KNOBS), **settings}
            addresses = {"tracking_uri": tracking_uri, "database_url": database_url, **served}
            return services.enter_context(RunningService(tmp_path, **addresses))

        yield start


@pytest.fixture
def service(start_service: StartService) -> RunningService:
    return start_service()
