"""A rollout on its way, and the verb that follows it in the background while a test lets things happen."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

from tests.fakes.api_server import shapes
from tests.integration.k8s.conftest import Ask
from tests.integration.k8s.verb import Result

PATIENCE_SECONDS = 20


def going(*, updated: int = 1) -> shapes.Json:
    return shapes.deployment(updated=updated, available=1, total=3)


@contextmanager
def followed(ask: Ask, *options: object) -> Iterator[Future[Result]]:
    """The verb at work, while the test lets things happen."""
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(ask, "rollout", "--timeout", 15, *options)
