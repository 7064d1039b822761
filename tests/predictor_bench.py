"""A predictor over files, caches and figures in memory, and the tiny models that it answers with."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import msgspec
from prometheus_client import CollectorRegistry

from auth.principal import Principal
from catalog.iris.definition import DEFINITION as IRIS
from records.prediction_record import PredictionRecord
from serving.adapters.memory_cache import MemoryCache
from serving.cache import AnswerCache
from serving.identifiers import Identifiers
from serving.loaded_model import LoadedModel
from serving.metrics import Metrics
from serving.overload.control import Overload
from serving.overload.limit import Bounds
from serving.prediction_log import PredictionLog
from serving.predictor import Answer, Asking, Predictor
from serving.settings import Durability, FullLogPolicy
from serving.spool import SpoolLimits, SpoolWriter, read_frames
from tests.fakes.remote_cache import MemoryRemoteCache
from tests.fakes.segment_files import MemorySegmentFiles
from tests.prediction_records import figure
from tests.tiny_servables import CountedFeatures, with_features

BOUNDS = Bounds(floor=2, cap=512, seconds=0.025)
ADA = Principal(
    subject="ada", issuer="slipway", scopes=frozenset({"predict"}), expires_at=2e9, user_id=7, token_id="t"
)
decode_record = msgspec.json.Decoder(PredictionRecord).decode


class Bench:
    """A predictor over files, caches and figures in memory; to be made inside an event loop."""

    def __init__(
        self,
        *,
        cached: bool = True,
        remote: MemoryRemoteCache | None = None,
        durability: Durability = Durability.PROCESS,
        policy: FullLogPolicy = FullLogPolicy.AVAILABLE,
        cache_entries: int = 1000,
    ) -> None:
        self.files, self.registry = MemorySegmentFiles(), CollectorRegistry()
        self.metrics = Metrics(self.registry)
        self.spool = SpoolWriter(Path("/spool"), self.files, SpoolLimits(spool_bytes=1_000_000))
        log = PredictionLog(self.spool, self.metrics, durability=durability, policy=policy)
        cache = AnswerCache(MemoryCache(max_entries=cache_entries), remote, self.metrics) if cached else None
        self.predictor = Predictor(
            cache, log, self.metrics, new_id=Identifiers(), overload=Overload(BOUNDS, self.metrics.overload)
        )

    async def ask(
        self, model: LoadedModel, *rows: msgspec.Struct, seconds: float = 60.0, request_id: str = "r-1"
    ) -> list[Answer]:
        """As a protocol that skips nothing: a request of one row is alone, and one row that fails fails all."""
        who = asking(seconds=seconds, request_id=request_id)
        if len(rows) == 1:
            return [await self.predictor.predict(model, rows[0], who)]
        answers: list[Answer] = []
        for found in await self.predictor.predict_each(model, rows, who, skips=False):
            if not isinstance(found, Answer):
                raise found
            answers.append(found)
        return answers

    def logged(self) -> list[PredictionRecord]:
        frames = [frame for content in self.files.files.values() for frame in read_frames(content)]
        return [decode_record(frame) for frame in frames if frame is not None]

    def figure(self, name: str, **labels: str) -> float:
        self.metrics.fold()
        return figure(self.registry, f"slipway_{name}", **labels)


def asking(*, seconds: float = 60.0, request_id: str = "r-1") -> Asking:
    now = time.perf_counter()
    return Asking(request_id, ADA, now, now + seconds)


def run(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(scenario())


def flower(model: LoadedModel, length: float = 5.1) -> msgspec.Struct:
    return model.reader.from_object({**IRIS.examples[0], "sepal_length": length})


def counted(model: LoadedModel, **poison: Any) -> tuple[LoadedModel, list[int]]:
    features = CountedFeatures(model.definition, **poison)
    return with_features(model, features), features.calls
