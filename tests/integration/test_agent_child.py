"""The agent as a worker's child: up is one whose heart beats, and one that hangs is ended and started again."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from serving.agent_process import AgentProcess
from serving.heartbeat import FILE, Heartbeat
from serving.lifecycle.drain import Drain
from serving.lifecycle.writers import Writers
from tests.agent_program import AgentProgram
from tests.e2e.processes import children, command_line, is_alive

PATIENCE_SECONDS = 60.0


class Gauge:
    """What it was set to, each time that it changed."""

    def __init__(self) -> None:
        self.course: list[float] = []

    def set(self, value: float) -> None:
        if self.course[-1:] != [value]:
            self.course.append(value)


class Parent:
    """A worker's part in the life of its agent."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.program, self.gauge = AgentProgram(folder, **settings), Gauge()
        writers = Writers(self.program.spool / "writers.lock", Drain(folder / "drain"), seconds=1)
        self.process = AgentProcess(
            folder / "parent.lock",
            self.program.environment,
            self.gauge,
            heartbeat=Heartbeat(self.program.store),
            writers=writers,
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        work = asyncio.create_task(self.process.run())
        try:
            yield
        finally:
            work.cancel()
            await asyncio.wait([work])
            assert self.agents() == []

    def agents(self) -> list[int]:
        mine = [pid for pid in children(os.getpid()) if is_alive(pid)]
        return [pid for pid in mine if "serving.agent" in command_line(pid)]

    def fall_silent(self) -> int:
        """Stops the agent, and its last heartbeat is long ago."""
        (agent,) = self.agents()
        os.kill(agent, signal.SIGSTOP)
        os.utime(self.program.store / FILE, (0, 0))
        return agent


async def wait_until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():
            await asyncio.sleep(0.05)


def test_one_that_hangs_is_seen_ended_and_started_again(tmp_path: Path) -> None:
    parent = Parent(tmp_path)

    async def live() -> None:
        async with parent.running():
            await wait_until(lambda: parent.gauge.course == [0, 1])
            parent.process.hangs_seconds = 1.0
            stopped = parent.fall_silent()
            await wait_until(lambda: not is_alive(stopped))
            parent.process.hangs_seconds = PATIENCE_SECONDS
            await wait_until(lambda: parent.gauge.course == [0, 1, 0, 1])

    asyncio.run(live())


def test_one_that_ends_before_its_heart_beats_was_never_up(tmp_path: Path) -> None:
    parent = Parent(tmp_path, MODEL_POLL_SECONDS="never")
    Heartbeat(parent.program.store).beat()  # of one before, which was killed

    async def live() -> None:
        async with parent.running():
            await wait_until(parent.agents)
            await wait_until(lambda: not parent.agents())

    asyncio.run(live())
    assert parent.gauge.course == [0]
