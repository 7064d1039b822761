"""What a worker tells of its requests, wired from the settings: lines of two streams, and spans. All of it may be off."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Any

from records.prediction_record import PredictionRecord
from serving.http.app import Surface
from serving.http.telling import Telling
from serving.logging_settings import LoggingSettings, LogLevel
from serving.metrics import Metrics
from serving.redaction import RecordLog
from serving.request_log.model_lines import ModelLines, ToldLog
from serving.request_log.service_lines import Request, ServiceLines
from serving.request_log.sinks import RotatedFile, StandardOutput
from serving.request_log.writer import LineWriter, Sink, Stream
from serving.telling_metrics import TellingMetrics
from serving.tracing.tracer import Tracer
from serving.tracing.wiring import tracing_of

HAND_OVER_SECONDS = 0.1
LAST_LINES_SECONDS = 1.0


class WorkerTelling:
    """`service`, `model` and `tracer` are None where they are off."""

    def __init__(self, settings: LoggingSettings, metrics: TellingMetrics) -> None:
        sinks = partial(_sinks, settings)
        self._tells_everything = settings.log_level is LogLevel.DEBUG
        self.service: Stream[Request] | None = None
        self.model: Stream[PredictionRecord] | None = None
        if settings.service_log:
            lines = ServiceLines(settings.log_level)
            self.service = Stream("service", lines, sinks("service_metrics.txt"), metrics.lines)
        if settings.model_log:
            self.model = Stream("model", ModelLines(), sinks("model_metrics.txt"), metrics.lines)
        streams: Sequence[Stream[Any] | None] = (self.service, self.model)
        self._writer = LineWriter([stream for stream in streams if stream is not None])
        self._tracing = tracing_of(settings, "slipway", metrics.spans)

    @property
    def tracer(self) -> Tracer | None:
        return None if self._tracing is None else self._tracing.tracer

    def log(self, log: RecordLog) -> RecordLog:
        """The log that also tells the model's stream what it took."""
        return log if self.model is None else ToldLog(log, self.model)

    def of_http(self, metrics: Metrics, surface: Surface) -> Telling:
        """What HTTP tells. Probes and scrapes are worth a line to who looks for everything."""
        probes = {route.template for route in surface.routes.values() if route.probe}
        quiet = frozenset() if self._tells_everything else frozenset(probes)
        return Telling(metrics, lines=self.service, tracer=self.tracer, own_paths=surface.routes, quiet=quiet)

    async def run(self) -> None:
        """Runs until cancelled."""
        if self._tracing is not None:
            self._tracing.start()
        while True:
            self._writer.hand_over()
            await asyncio.sleep(HAND_OVER_SECONDS)

    async def close(self) -> None:
        await asyncio.to_thread(self._writer.close, LAST_LINES_SECONDS)
        if self._tracing is not None:
            await asyncio.to_thread(self._tracing.close)


def _sinks(settings: LoggingSettings, name: str) -> list[Sink]:
    if settings.log_dir is None:
        return [StandardOutput()]
    return [StandardOutput(), RotatedFile(settings.log_dir / name, limit=settings.log_file_bytes)]
