"""The settings of logs and traces: which lines are written, where to, and who is told of spans. Read by `Settings`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, Field


class LogLevel(StrEnum):
    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


class SpanExporter(StrEnum):
    NONE = "none"
    OTLP = "otlp"
    CONSOLE = "console"


class Sampler(StrEnum):
    ALWAYS_ON = "always_on"
    ALWAYS_OFF = "always_off"
    RATIO = "traceidratio"
    PARENT_ALWAYS_ON = "parentbased_always_on"
    PARENT_ALWAYS_OFF = "parentbased_always_off"
    PARENT_RATIO = "parentbased_traceidratio"


class OtlpProtocol(StrEnum):
    HTTP = "http/protobuf"


class LoggingSettings(BaseModel):
    """A part of `serving.settings.Settings`, which is what reads the environment.

    The names that begin with OTEL are OpenTelemetry's, and there are more: its SDK reads them (docs/tracing.md).
    """

    log_level: LogLevel = Field(LogLevel.INFO, description="level of the service log")
    service_log: bool = Field(True, description="a line for each request but probes and scrapes")
    model_log: bool = Field(False, description="a line for each answered row, with its features")
    log_dir: Path | None = Field(
        None, description="folder that gets `service_metrics.txt` and `model_metrics.txt` with the same lines"
    )
    log_file_bytes: int = Field(
        10 * 1024 * 1024,
        ge=4096,
        description="size at which such a file is put aside; five old ones are kept",
    )
    otel_traces_exporter: SpanExporter = Field(
        SpanExporter.NONE, description="where spans go: `otlp` (over HTTP), `console` or `none`"
    )
    otel_exporter_otlp_endpoint: str = Field(
        "", pattern="^(https?://.+)?$", description="where `otlp` goes; empty: `http://localhost:4318`"
    )
    otel_exporter_otlp_protocol: OtlpProtocol = Field(
        OtlpProtocol.HTTP, description="how `otlp` speaks; there is one way"
    )
    otel_sdk_disabled: bool = Field(False, description="`true`: no spans, whatever the exporter")
    otel_traces_sampler: Sampler = Field(
        Sampler.PARENT_ALWAYS_ON,
        description="which requests are recorded: `always_on`, `always_off` or `traceidratio`, or with `parentbased_` "
        "before it what the caller's `traceparent` says",
    )
    otel_traces_sampler_arg: float = Field(1.0, ge=0, le=1, description="share of traces of `…traceidratio`")
    otel_bsp_max_queue_size: int = Field(
        2048, ge=1, le=1_000_000, description="spans that wait for the exporter; more are dropped and counted"
    )
    otel_bsp_max_export_batch_size: int = Field(
        64,
        ge=1,
        le=100_000,
        description="most spans that are exported at once; requests wait a little while they are encoded",
    )
    otel_bsp_schedule_delay: int = Field(
        5000, ge=10, le=600_000, description="milliseconds between exports while batches are not full"
    )

    @property
    def records_spans(self) -> bool:
        return self.otel_traces_exporter is not SpanExporter.NONE and not self.otel_sdk_disabled
