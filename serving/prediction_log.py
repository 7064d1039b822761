"""The request path's side of the prediction log: one append per turn, before the answers leave."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor

import msgspec
import structlog

from modelkit.errors import LogUnavailable
from records.prediction_record import PredictionRecord
from serving.coalesce import Coalescer
from serving.metrics import Metrics
from serving.seldom import Seldom
from serving.settings import Durability, FullLogPolicy
from serving.spool import SpoolFull, SpoolWriter

MAX_APPENDS_PER_SYNC = 4096

_encode = msgspec.json.Encoder().encode


class _Turn:
    """The records of one turn of the event loop, written before any of those who appended goes on.

    They await the turn itself, in as many places as they are: a future for each would cost more than its record.
    """

    __slots__ = ("ended", "error", "records")

    def __init__(self) -> None:
        self.records: list[PredictionRecord] = []
        self.error: Exception | None = None
        self.ended = False

    def __await__(self) -> Generator[None, None, None]:
        while not self.ended:
            yield  # once: what is to write them was asked for before whoever waits here
        if self.error is not None:
            raise self.error


class PredictionLog:
    """`append` at once puts records among those of its turn. To await what it returns is to wait until they are as durable
    as the setting says; it raises LogUnavailable under `strict`. Whoever is cancelled meanwhile leaves his records there.
    """

    def __init__(
        self, spool: SpoolWriter, metrics: Metrics, *, durability: Durability, policy: FullLogPolicy
    ) -> None:
        self._spool, self._metrics, self._policy = spool, metrics, policy
        self._one_writer = asyncio.Lock()
        self._service_log, self._seldom = structlog.get_logger("slipway.service"), Seldom()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._turn: _Turn | None = None
        self._synced: Coalescer[list[PredictionRecord], None] | None = None
        if durability is Durability.DISK:
            # Of its own: loading a model would hold up every answer.
            self._syncing = ThreadPoolExecutor(1, "spool")
            self._synced = Coalescer(self._sync, max_items=MAX_APPENDS_PER_SYNC, one_at_a_time=True)

    def append(self, records: list[PredictionRecord]) -> Awaitable[None]:
        if self._synced is not None:
            return self._synced.submit(records)
        turn = self._turn
        if turn is None:
            turn = self._turn = self._begin()
        turn.records.extend(records)
        return turn

    async def tend(self) -> None:
        """Hands finished segments to the agent and measures the spool; to be called a few times a second."""
        async with self._one_writer:
            try:
                self._spool.tend()
            except OSError as error:
                self._service_log.error("spool upkeep failed", reason=str(error))
        self._metrics.log_pending.set(self._spool.pending_records)
        self._metrics.log_bytes.set(self._spool.bytes_used)

    async def close(self) -> None:
        async with self._one_writer:
            self._spool.seal()

    def _begin(self) -> _Turn:
        if self._loop is None:  # asked for once: Python 3.11 makes a system call of it each time
            self._loop = asyncio.get_running_loop()
        self._loop.call_soon(self._end)
        return _Turn()

    def _end(self) -> None:
        turn, self._turn = self._turn, None
        assert turn is not None
        try:
            self._write(turn.records)
        except Exception as error:
            turn.error = error
        finally:
            turn.ended = True

    def _write(self, records: list[PredictionRecord]) -> bool:
        """Whether they are written; where they are not and need not be, nobody waits for them."""
        payloads = [_encode(record) for record in records]
        try:
            self._spool.append(payloads)
        except (OSError, SpoolFull) as error:
            self._refuse("dropped", len(payloads), error)
            return False
        self._metrics.logged("written", len(payloads))
        return True

    async def _sync(self, appended: list[list[PredictionRecord]]) -> Sequence[None]:
        together = [record for records in appended for record in records]
        async with self._one_writer:
            if self._write(together):
                try:
                    await asyncio.get_running_loop().run_in_executor(self._syncing, self._spool.sync)
                except OSError as error:
                    self._refuse("not_synced", len(together), error)
        return [None] * len(appended)

    def _refuse(self, result: str, count: int, error: Exception) -> None:
        self._metrics.logged(result, count)
        if self._seldom.due(result):
            self._service_log.error("records not kept", result=result, reason=str(error))
        if self._policy is FullLogPolicy.STRICT:
            raise LogUnavailable from error
