"""The agent as a sidecar: alive whatever is away, and gone in time with the log shipped when it is told to go."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from records.engine import open_engine
from serving.heartbeat import Heartbeat
from tests.agent_program import NOBODY, AgentProgram
from tests.e2e.logged_rows import logged
from tests.e2e.scraped import total
from tests.e2e.waiting import until

START_SECONDS, GRACE_SECONDS = 60.0, 15.0


@contextmanager
def running(agent: AgentProgram, *, ends_with: int = 0) -> Iterator[None]:
    """Lives inside; after it, told to end by SIGTERM, it must have ended with this code within its grace."""
    process = agent.start()
    try:
        until(agent.live, seconds=START_SECONDS, what="the agent lives")
        until(Heartbeat(agent.store).is_fresh, seconds=START_SECONDS, what="workers see that it lives")
        yield
        process.terminate()
        code = process.wait(GRACE_SECONDS)
    finally:
        process.kill()
        process.wait(10)
    assert code == ends_with, (agent.folder / "agent.log").read_text()
    assert not Heartbeat(agent.store).is_fresh()


def test_registry_and_database_away_make_it_unhappy_and_not_dead(tmp_path: Path) -> None:
    agent = AgentProgram(tmp_path, DATABASE_URL=f"postgresql://slipway:x@{NOBODY}/slipway")
    left = agent.seal("p-1")
    with running(agent):
        until(
            lambda: total(agent.port, "slipway_registry_polls_total", result="error") > 0,
            seconds=START_SECONDS,
            what="polls that failed",
        )
        until(
            lambda: total(agent.port, "slipway_agent_ship_failures_total") > 0,
            seconds=START_SECONDS,
            what="shipments that failed",
        )
        assert agent.live() == {"live": True, "stuck": []}
    assert left.exists(), "what is not in SQL stays"


def test_a_database_that_hangs_in_a_transaction_does_not_hold_up_its_end_either(
    tmp_path: Path, migrated_postgres_url: str
) -> None:
    agent, engine = (
        AgentProgram(tmp_path, DATABASE_URL=migrated_postgres_url),
        open_engine(
            migrated_postgres_url, answer_seconds=None
        ),  # or the server would let go of what it locks
    )

    def waits() -> bool:
        with engine.connect() as connection:
            found = connection.exec_driver_sql("SELECT count(*) FROM pg_locks WHERE NOT granted")
            return bool(found.scalar_one())

    with engine.connect() as other:
        other.exec_driver_sql("LOCK TABLE predictions IN ACCESS EXCLUSIVE MODE")
        with running(agent, ends_with=1):
            left = agent.seal("p-1")
            until(waits, seconds=START_SECONDS, what="the agent waits for the table")
        assert left.exists()
    engine.dispose()
    assert logged(migrated_postgres_url) == {}


def test_a_database_that_does_not_answer_holds_up_its_end_no_longer_than_the_grace(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        agent = AgentProgram(tmp_path, DATABASE_URL=f"postgresql://slipway:x@127.0.0.1:{port}/slipway")
        left = agent.seal("p-1")
        with running(agent):
            pass
    assert left.exists()


@pytest.mark.parametrize("sealed", [True, False], ids=["sealed", "left open by a killed worker"])
def test_what_a_worker_left_is_shipped_before_the_end(tmp_path: Path, sqlite_url: str, sealed: bool) -> None:
    agent = AgentProgram(tmp_path, DATABASE_URL=sqlite_url)
    with running(agent):
        last = agent.seal("p-1", "p-2")
        if not sealed:
            last.rename(last.with_name("w-1.open"))
    assert sorted(logged(sqlite_url)) == ["p-1", "p-2"]
    assert list(agent.spool.iterdir()) == []
