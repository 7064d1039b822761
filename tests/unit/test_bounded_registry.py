"""A registry that never answers costs its asker a bounded time, and no second question while the first hangs."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from serving.agent.bounded_registry import BoundedRegistry
from serving.agent.registry import RegisteredVersion, RegistryUnavailable
from tests.fakes.registry import MemoryRegistry


class HangingRegistry(MemoryRegistry):
    """Says nothing while it is shut."""

    def __init__(self) -> None:
        super().__init__()
        self.open = threading.Event()
        self.asked = 0

    def behind_alias(self, registry_name: str, alias: str) -> RegisteredVersion | None:
        self.asked += 1
        self.open.wait()
        return super().behind_alias(registry_name, alias)


def test_a_question_that_hangs_is_an_outage_and_no_other_is_asked_meanwhile() -> None:
    slow = HangingRegistry()
    registry = BoundedRegistry(slow, ask_seconds=0.05)
    for expected in ("no answer within", "still waiting"):
        with pytest.raises(RegistryUnavailable, match=expected):
            registry.behind_alias("Iris", "production")
    assert slow.asked == 1
    slow.open.set()
    for _ in range(1000):
        try:
            assert registry.behind_alias("Iris", "production") is None
            break
        except RegistryUnavailable:
            threading.Event().wait(0.01)
    else:
        pytest.fail("it is never asked again")


def test_answers_and_errors_come_through(tmp_path: Path) -> None:
    memory = MemoryRegistry()
    registry = BoundedRegistry(memory)
    assert registry.by_number("Iris", "1") is None
    assert registry.approved("Iris") == []
    memory.down = True
    with pytest.raises(RegistryUnavailable, match="is down"):
        registry.by_number("Iris", "1")
