"""The agent's chores go on, whatever one of their steps raises: nobody else would notice a thread that has ended."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from serving.agent.chores import Chores
from serving.agent.metrics import AgentMetrics
from serving.agent.pulse import Pulse
from serving.settings import Settings
from tests.e2e.waiting import until

KEYS = """[[issuers]]
name = "corp"
issuer = "http://127.0.0.1:9"
jwks_url = "http://127.0.0.1:9/jwks"
"""


class Stop(threading.Event):
    """Nobody sleeps; it is set after so many pauses, whose lengths it keeps."""

    def __init__(self, pauses: int) -> None:
        super().__init__()
        self.pauses: list[float | None] = []
        self._last = pauses

    def wait(self, timeout: float | None = None) -> bool:
        self.pauses.append(timeout)
        if len(self.pauses) >= self._last:
            self.set()
        return self.is_set()


def failing(*failures: Exception | None) -> Callable[[], float]:
    """A step that raises what is next in the list, and is done where there is nothing."""
    left = list(failures)

    def step() -> float:
        if left and (failure := left.pop(0)) is not None:
            raise failure
        return 0.5

    return step


def failures(metrics: AgentMetrics, chore: str) -> float:
    sample = metrics.registry.get_sample_value("slipway_agent_chore_failures_total", {"chore": chore})
    return sample or 0.0


def settings(folder: Path, **values: object) -> Settings:
    folders = {name: folder / name for name in ("spool_dir", "metrics_dir", "model_store_dir")}
    return Settings(**{"slipway_env": "dev", **folders, **values})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "failure", [ValueError("x"), KeyError("x"), RecursionError(), OSError(), MemoryError()]
)
def test_a_step_that_raises_is_told_and_tried_again(tmp_path: Path, failure: Exception) -> None:
    metrics, stop = AgentMetrics(), Stop(3)
    chores = Chores(settings(tmp_path), metrics, Pulse(), stop)
    step = failing(None, failure, None)
    assert chores.keep_going("keys", lambda: step) is step
    assert stop.pauses == [0.5, 2.0, 0.5]
    assert failures(metrics, "keys") == 1


def test_what_cannot_be_made_yet_is_made_later(tmp_path: Path) -> None:
    made: list[None] = []

    def make() -> Callable[[], float]:
        made.append(None)
        if len(made) < 3:
            raise ConnectionError
        return failing()

    metrics, stop = AgentMetrics(), Stop(5)
    assert Chores(settings(tmp_path), metrics, Pulse(), stop).keep_going("ship", make) is not None
    assert (len(made), failures(metrics, "ship")) == (3, 2)


def test_every_chore_that_starts_goes_on_that_way(tmp_path: Path) -> None:
    """All of them, each with a dependency that is broken rather than away: their threads live."""
    policy = tmp_path / "policy.toml"
    policy.write_text(KEYS)
    broken = tmp_path / "broken.db"
    broken.write_bytes(b"no database" * 1000)
    before = set(threading.enumerate())
    metrics, stop = AgentMetrics(), threading.Event()
    Chores(
        settings(
            tmp_path,
            auth_policy_file=policy,
            database_url=f"sqlite:///{broken}",
            features_url=f"sqlite:///{broken}",
            redis_url="redis://127.0.0.1:9",
            model_source="path",  # nobody asks a registry then: MLflow would go on asking long after the test
            model_path=tmp_path,
        ),
        metrics,
        Pulse(),
        stop,
    ).start()
    policy.write_text(KEYS + "[[limits]]\nper_second = " + "9" * 5000)
    try:
        until(lambda: failures(metrics, "ship") >= 1, seconds=20, what="shipping has failed")
        names = {thread.name for thread in set(threading.enumerate()) - before}
        assert names >= {"features", "keys", "revocations", "revocations-redis", "ship"}
    finally:
        stop.set()
        for thread in set(threading.enumerate()) - before:
            thread.join(10)
