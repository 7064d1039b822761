"""Every metric of the request process: declared once, cheap to record, right over several workers.

The request path appends to plain lists (0.2 µs); a timer folds them into prometheus_client a few times a second, and
every scrape does so first. Labels are bounded: route templates, model names and versions, never a path or a user.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter as Tally
from collections import defaultdict
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from serving.comparison_metrics import ComparisonMetrics
from serving.connection_metrics import ConnectionMetrics
from serving.explanation_metrics import ExplanationMetrics
from serving.following_metrics import FollowingMetrics
from serving.grpc_metrics import GrpcMetrics
from serving.identity_metrics import IdentityMetrics
from serving.overload_metrics import OverloadMetrics
from serving.settings import multiprocess_folder
from serving.telling_metrics import TellingMetrics

PREFIX = "slipway_"
OTHER = "OTHER"
REQUEST_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
STAGE_BUCKETS = (
    0.00005,
    0.0001,
    0.00025,
    0.0005,
    0.001,
    0.0025,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.5,
    1.0,
    10.0,
)
BATCH_BUCKETS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
VALUE_BUCKETS = (0.5, 1, 2, 5, 10, 15, 20, 25, 30, 35, 40, 50, 75, 100, 250, 500, 1000)


class Metrics:
    """The metrics of one worker. Made after BentoML chose prometheus_client's multiprocess mode, hence the late import."""

    def __init__(self, registry: Any = None) -> None:
        from prometheus_client import REGISTRY, Counter, Gauge, Histogram

        self.registry = registry or REGISTRY
        shared: dict[str, Any] = {"registry": self.registry}

        def counter(name: str, text: str, *labels: str) -> Any:
            return Counter(PREFIX + name, text, labels, **shared)

        def gauge(name: str, text: str, *labels: str, mode: str = "livemostrecent") -> Any:
            return Gauge(PREFIX + name, text, labels, multiprocess_mode=mode, **shared)  # type: ignore[arg-type]

        def histogram(name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Any:
            return Histogram(PREFIX + name, text, labels, buckets=buckets, **shared)

        self._requests = counter("http_requests", "Answered HTTP requests.", "route", "method", "code")
        self._durations = histogram(
            "http_request_duration_seconds", "From arrival to answer.", REQUEST_BUCKETS, "route", "method"
        )
        self._in_flight = gauge("http_requests_in_flight", "Requests in progress.", mode="livesum")
        self._predictions = counter(
            "predictions", "Answered prediction rows.", "model", "version", "outcome", "source"
        )
        self._stages = histogram(
            "prediction_duration_seconds", "Time of a stage.", STAGE_BUCKETS, "model", "version", "stage"
        )
        self._batches = histogram(
            "batch_rows", "Rows per call of the compiled model.", BATCH_BUCKETS, "model"
        )
        self._values = histogram("prediction_value", "Predicted numbers.", VALUE_BUCKETS, "model", "version")
        self._cache = counter("cache_requests", "Cache look-ups.", "model", "tier", "result")
        self.breaker_open = gauge(
            "cache_breaker_open", "1 while Redis is left alone after failures.", mode="livemax"
        )
        self._lookups = counter("feature_lookups", "Feature look-ups.", "view", "source", "result")
        self.feature_rows = gauge("feature_snapshot_rows", "Entities that the source knows.", "view")
        self.feature_age = gauge(
            "feature_snapshot_age_seconds", "Since the features were written to their source.", "view"
        )
        self.feature_stale = gauge(
            "feature_snapshot_stale", "1 while the features are older than FEATURES_MAX_AGE_SECONDS.", "view"
        )
        self.feature_breaker_open = gauge(
            "feature_breaker_open", "1 while the feature store on Redis is left alone.", mode="livemax"
        )
        self._shed = counter("shed", "Requests refused before any work.", "reason")
        self.model_info = gauge("model_info", "1 for the version being served.", "model", "version", "digest")
        self.model_state = gauge("model_state", "1 for the model's present state.", "model", "state")
        self.model_skew = gauge(
            "model_version_skew", "1 while another version than the desired one is served.", "model"
        )
        self.model_loads = histogram(
            "model_load_duration_seconds", "Load, check and warm-up.", STAGE_BUCKETS, "model"
        )
        self.model_load_failures = counter(
            "model_load_failures", "Versions that could not be loaded.", "model"
        )
        self._log = counter("prediction_log_records", "Prediction records by fate.", "result")
        self.log_pending = gauge("prediction_log_pending", "Records in the spool, not yet in SQL.")
        self.log_bytes = gauge("prediction_log_spool_bytes", "Size of the spool.")
        self.agent_up = gauge("agent_up", "1 while this pod's agent runs.", mode="livemax")
        self._pending_requests: defaultdict[tuple[str, str, int], list[float]] = defaultdict(list)
        self._pending_predictions: defaultdict[tuple[str, str, str, str], list[float]] = defaultdict(list)
        self._pending_values: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
        self._pending_cache: Tally[tuple[str, str, str]] = Tally()
        self._pending_lookups: Tally[tuple[str, str, str]] = Tally()
        self._pending_log: Tally[str] = Tally()
        self._pending_shed: Tally[str] = Tally()
        self.in_flight = 0
        # Of routes, where that is known: callers may try all methods at all of them. What has none has no duration either.
        self.methods: Mapping[str, Collection[str]] = {}
        self.identity = IdentityMetrics(self.registry)
        self.grpc = GrpcMetrics(self.registry)
        self.telling = TellingMetrics(self.registry)
        self.explanations = ExplanationMetrics(self.registry)
        self.comparison = ComparisonMetrics(self.registry)
        self.following = FollowingMetrics(self.registry)
        self.overload = OverloadMetrics(self.registry)
        self.connections = ConnectionMetrics(self.registry)
        self.authenticated = self.identity.authenticated

    def request_finished(self, route: str, method: str, code: int, seconds: float) -> None:
        self._pending_requests[route, method, code].append(seconds)

    def row_answered(self, model: str, version: str, outcome: str, source: str, seconds: float) -> None:
        self._pending_predictions[model, version, outcome, source].append(seconds)

    def rows_answered(self, model: str, version: str, source: str, seconds: float, count: int) -> None:
        """`row_answered` for rows of one request that went well."""
        self._pending_predictions[model, version, "ok", source].extend([seconds] * count)

    def values_predicted(self, model: str, version: str, values: list[float]) -> None:
        self._pending_values[model, version].extend(values)

    def value_predicted(self, model: str, version: str, value: float) -> None:
        self._pending_values[model, version].append(value)

    def cache_asked(self, model: str, tier: str, result: str, count: int = 1) -> None:
        self._pending_cache[model, tier, result] += count

    def features_looked_up(self, view: str, source: str, result: str) -> None:
        self._pending_lookups[view, source, result] += 1

    def logged(self, result: str, count: int) -> None:
        self._pending_log[result] += count

    def shed(self, reason: str) -> None:
        self._pending_shed[reason] += 1

    def model_called(self, model: str, version: str, rows: int, seconds: float) -> None:
        self._batches.labels(model).observe(rows)
        self._stages.labels(model, version, "model").observe(seconds)

    def fold(self) -> None:
        """Moves what was recorded since the last call into prometheus_client."""
        self._fold_requests()
        for (model, version, outcome, source), seconds in _drained(self._pending_predictions):
            self._predictions.labels(model, version, outcome, source).inc(len(seconds))
            _observe_many(self._stages.labels(model, version, "total"), seconds)
        for labels, values in _drained(self._pending_values):
            _observe_many(self._values.labels(*labels), values)
        for counter, pending in (
            (self._cache, self._pending_cache),
            (self._lookups, self._pending_lookups),
        ):
            for key, count in _drained(pending):
                counter.labels(*key).inc(count)
        for counter, tally in ((self._log, self._pending_log), (self._shed, self._pending_shed)):
            for label, count in _drained(tally):
                counter.labels(label).inc(count)
        self._in_flight.set(self.in_flight)
        self.identity.fold()
        self.grpc.fold()
        self.comparison.fold()
        self.connections.fold()
        self.overload.fold()

    def _fold_requests(self) -> None:
        for (route, method, code), seconds in _drained(self._pending_requests):
            known = method in self.methods.get(route, (method,))
            self._requests.labels(route, method if known else OTHER, str(code)).inc(len(seconds))
            if known:
                _observe_many(self._durations.labels(route, method), seconds)


def _drained(pending: Any) -> list[Any]:
    items = list(pending.items())
    pending.clear()
    return items


def _observe_many(histogram: Any, values: list[float]) -> None:
    """`observe` for many values at the price of one write per touched bucket, on prometheus_client's own cells."""
    bounds = histogram._upper_bounds
    if len(values) > 100:  # large requests bring thousands
        touched = np.bincount(np.searchsorted(bounds, values), minlength=1)
        found = [(bucket, int(count)) for bucket, count in enumerate(touched) if count]
    else:
        found = [*Tally(bisect_left(bounds, value) for value in values).items()]
    for bucket, count in found:
        histogram._buckets[bucket].inc(count)
    histogram._sum.inc(sum(values))


def forget_dead_workers() -> None:
    """Drops the live gauges of workers that were killed, which nobody else does; what they counted stays counted."""
    from prometheus_client import multiprocess

    folder = multiprocess_folder()
    for path in folder.glob("gauge_live*_*.db") if folder else ():
        process = int(path.stem.rsplit("_", 1)[1])
        if not _runs(process):
            with suppress(FileNotFoundError):  # a sibling was quicker
                multiprocess.mark_process_dead(process)  # type: ignore[no-untyped-call]


def _runs(process: int) -> bool:
    """A zombie, which has no command line, may wait for ten seconds until BentoML's parent asks for its exit code."""
    try:
        return bool(Path(f"/proc/{process}/cmdline").read_bytes())
    except OSError:
        return False


def scrape_registry(own: Any) -> Any:
    """What a scrape reads: this process's own, or all workers' where prometheus_client runs in multiprocess mode."""
    from prometheus_client import CollectorRegistry, multiprocess

    if multiprocess_folder() is None:
        return own
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry


def exposition(own: Any) -> bytes:
    """The text format of a scrape."""
    from prometheus_client import generate_latest

    return generate_latest(scrape_registry(own))
