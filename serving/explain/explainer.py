"""The worker's side of its explainer: started for the first job, asked one job at a time, started again after it died."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import structlog

from modelkit.errors import (
    DeadlineExceeded,
    ExplainerUnavailable,
    ExplanationFailed,
    SlipwayError,
)
from modelkit.explanation import Explanation
from serving.explain.messages import LENGTH_BYTES, Job, Result, decode_result, encode, framed

PROJECT = Path(__file__).resolve().parents[2]
START_SECONDS = 60.0
# A job looks at its deadline between calls of its model; loading a version does not.
GRACE_SECONDS = 10.0
PROBLEMS: dict[str, type[SlipwayError]] = {
    kind.code: kind for kind in (DeadlineExceeded, ExplainerUnavailable, ExplanationFailed)
}


class Line(NamedTuple):
    """A running explainer, and the two ends of what is said to it."""

    child: subprocess.Popen[bytes]
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


class Explainer:
    """Who may wait is decided before (`serving.explain.places`)."""

    def __init__(self, catalog: str, environment: dict[str, str]) -> None:
        self._catalog, self._environment = catalog, environment
        self._turn = asyncio.Lock()
        self._line: Line | None = None
        self._log = structlog.get_logger("slipway.service")

    @property
    def pid(self) -> int | None:
        """None while there is no explainer."""
        return None if self._line is None else self._line.child.pid

    async def explain(self, job: Job) -> Explanation:
        """Raises DeadlineExceeded, ExplainerUnavailable or ExplanationFailed."""
        until = time.perf_counter() + job.seconds
        async with self._turn:
            result = await self._ask(job, until)
        if result.explanation is not None:
            return result.explanation
        if result.reason:
            self._log.error("explanation failed", model=job.model, code=result.code, reason=result.reason)
        raise PROBLEMS.get(result.code, ExplanationFailed)

    async def close(self) -> None:
        await self._hang_up()

    async def _ask(self, job: Job, until: float) -> Result:
        line = self._line or await self._start()
        left = until - time.perf_counter()
        if left <= 0:
            raise DeadlineExceeded
        current = Job(**{name: getattr(job, name) for name in Job.__struct_fields__} | {"seconds": left})
        try:
            async with asyncio.timeout(left + GRACE_SECONDS):
                line.writer.write(framed(encode(current)))
                await line.writer.drain()
                size = int.from_bytes(await line.reader.readexactly(LENGTH_BYTES), "big")
                return decode_result(await line.reader.readexactly(size))
        except (TimeoutError, OSError, EOFError) as error:
            await self._hang_up()
            self._log.error("explainer ended", model=job.model, reason=type(error).__name__)
            raise ExplainerUnavailable from None
        except asyncio.CancelledError:
            await self._hang_up()  # its answer would be taken for the next one's
            raise

    async def _start(self) -> Line:
        """Raises ExplainerUnavailable. The next job tries again."""
        try:
            child, ours = self._spawn()
            self._line = line = Line(child, *await asyncio.open_connection(sock=ours))
            async with asyncio.timeout(START_SECONDS):
                await line.reader.readexactly(LENGTH_BYTES)
        except (TimeoutError, OSError, EOFError) as error:
            await self._hang_up()
            self._log.error("explainer did not start", reason=type(error).__name__)
            raise ExplainerUnavailable from None
        except asyncio.CancelledError:
            await self._hang_up()
            raise
        return line

    def _spawn(self) -> tuple[subprocess.Popen[bytes], socket.socket]:
        """Without `preexec_fn`, which would copy this process first: a few milliseconds, and no await in between."""
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                child = subprocess.Popen(
                    (sys.executable, "-m", "serving.explain", "--catalog", self._catalog),
                    stdin=theirs.fileno(),
                    cwd=PROJECT,
                    env=self._environment,
                )
            except OSError:
                ours.close()
                raise
        ours.setblocking(False)
        return child, ours

    async def _hang_up(self) -> None:
        """Kills it: an explainer has nothing to finish."""
        line, self._line = self._line, None
        if line is None:
            return
        line.writer.close()
        line.child.kill()
        await asyncio.to_thread(line.child.wait)
        with contextlib.suppress(OSError):
            await line.writer.wait_closed()
