"""The request path's side of the prediction log: one append per turn, before the answers leave."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec
import structlog

from modelkit.errors import LogUnavailable
from records.prediction_record import PredictionRecord
from serving.coalesce import Coalescer
from serving.metrics import Metrics
from serving.settings import Durability, FullLogPolicy
from serving.spool import SpoolFull, SpoolWriter

MAX_RECORDS_PER_TURN = 4096

_encode = msgspec.json.Encoder().encode


class PredictionLog:
    """`append` returns once the record is as durable as the setting says, or raises LogUnavailable under `strict`."""

    def __init__(
        self, spool: SpoolWriter, metrics: Metrics, *, durability: Durability, policy: FullLogPolicy
    ) -> None:
        self._spool, self._metrics = spool, metrics
        self._durability, self._policy = durability, policy
        self._one_writer = asyncio.Lock()
        self._service_log = structlog.get_logger("slipway.service")
        synced = durability is Durability.DISK
        self._turns: Coalescer[list[PredictionRecord], None] = Coalescer(
            self._flush_to_disk if synced else self._flush,
            max_items=MAX_RECORDS_PER_TURN,
            one_at_a_time=synced,
        )

    def append(self, records: list[PredictionRecord]) -> asyncio.Future[None]:
        return self._turns.submit(records)

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

    def _flush(self, turn: list[list[PredictionRecord]]) -> Sequence[None]:
        payloads = [_encode(record) for records in turn for record in records]
        try:
            self._spool.append(payloads)
        except (OSError, SpoolFull) as error:
            self._refuse("dropped", len(payloads), error)
        else:
            self._metrics.logged("written", len(payloads))
        return [None] * len(turn)

    async def _flush_to_disk(self, turn: list[list[PredictionRecord]]) -> Sequence[None]:
        async with self._one_writer:
            answers = self._flush(turn)
            try:
                await asyncio.to_thread(self._spool.sync)
            except OSError as error:
                self._refuse("not_synced", sum(map(len, turn)), error)
            return answers

    def _refuse(self, result: str, count: int, error: Exception) -> None:
        self._metrics.logged(result, count)
        if self._policy is FullLogPolicy.STRICT:
            raise LogUnavailable from error
