"""Metrics: what is folded is what was recorded, in prometheus_client's own terms, under labels that stay few."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram, generate_latest

from serving.metrics import REQUEST_BUCKETS, VALUE_BUCKETS, Metrics, exposition
from tests.prediction_records import figure

SECONDS = st.lists(st.floats(0, 20) | st.sampled_from([*REQUEST_BUCKETS, *VALUE_BUCKETS, 0.0]), max_size=50)


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(CollectorRegistry())


def samples(registry: CollectorRegistry, name: str) -> dict[tuple[str, str], float]:
    """Sums, counts and buckets of a histogram; not when it was made."""
    return {
        (sample.name, sample.labels.get("le", "")): sample.value
        for family in registry.collect()
        if family.name == name
        for sample in family.samples
        if not sample.name.endswith("_created")
    }


@settings(deadline=None, derandomize=True, max_examples=100)
@given(folds=st.lists(SECONDS, max_size=3))
def test_folded_histograms_equal_prometheus_clients_own(folds: list[list[float]]) -> None:
    mine, theirs = Metrics(CollectorRegistry()), CollectorRegistry()
    own = Histogram(
        "slipway_prediction_value", "x", ["model", "version"], buckets=VALUE_BUCKETS, registry=theirs
    )
    for values in folds:
        for value in values:
            mine.value_predicted("iris", "1", value)
            own.labels("iris", "1").observe(value)
        mine.fold()
    expected = samples(theirs, "slipway_prediction_value")
    found = samples(mine.registry, "slipway_prediction_value")
    assert found == pytest.approx(expected)


@settings(deadline=None, derandomize=True, max_examples=50)
@given(st.lists(st.tuples(st.sampled_from(["/a", "/b"]), st.sampled_from([200, 401, 503]), st.floats(0, 9))))
def test_folded_counters_equal_what_was_recorded(requests: list[tuple[str, int, float]]) -> None:
    metrics = Metrics(CollectorRegistry())
    for place, (route, code, seconds) in enumerate(requests):
        metrics.request_finished(route, "POST", code, seconds)
        if place % 7 == 0:
            metrics.fold()
    metrics.fold()
    for (route, code), count in Counter((route, code) for route, code, _ in requests).items():
        labels = {"route": route, "method": "POST", "code": str(code)}
        assert figure(metrics.registry, "slipway_http_requests_total", **labels) == count
    total = sum(
        figure(metrics.registry, "slipway_http_request_duration_seconds_count", route=route, method="POST")
        for route in ("/a", "/b")
    )
    assert total == len(requests)


def test_nothing_is_counted_twice_by_folding_twice(metrics: Metrics) -> None:
    metrics.cache_asked("iris", "redis", "miss", 3)
    metrics.authenticated("slipway", "ok")
    metrics.logged("written", 5)
    metrics.shed("in_flight")
    metrics.row_answered("iris", "1", "ok", "model", 0.001)
    for _ in range(3):
        metrics.fold()
    found = {
        name: figure(metrics.registry, f"slipway_{name}_total", **labels)
        for name, labels in {
            "cache_requests": {"model": "iris", "tier": "redis", "result": "miss"},
            "auth_requests": {"issuer": "slipway", "result": "ok"},
            "prediction_log_records": {"result": "written"},
            "shed": {"reason": "in_flight"},
            "predictions": {"model": "iris", "version": "1", "outcome": "ok", "source": "model"},
        }.items()
    }
    assert found == {
        "cache_requests": 3,
        "auth_requests": 1,
        "prediction_log_records": 5,
        "shed": 1,
        "predictions": 1,
    }


def test_requests_in_flight_are_a_gauge(metrics: Metrics) -> None:
    metrics.in_flight = 7
    metrics.fold()
    assert figure(metrics.registry, "slipway_http_requests_in_flight") == 7


def test_calls_of_the_model_are_counted_by_rows(metrics: Metrics) -> None:
    metrics.model_called("iris", "1", 64, 0.002)
    assert figure(metrics.registry, "slipway_batch_rows_sum", model="iris") == 64
    labels = {"model": "iris", "version": "1", "stage": "model"}
    assert figure(metrics.registry, "slipway_prediction_duration_seconds_sum", **labels) == 0.002


def test_every_metric_is_ours_by_name_and_no_label_could_hold_a_caller(metrics: Metrics) -> None:
    allowed = {
        *("route", "method", "code", "model", "version", "outcome", "source", "stage", "tier", "result"),
        *("issuer", "grant", "reason", "digest", "state", "view", "stream", "arm"),
    }
    declared: list[Any] = list(metrics.registry._collector_to_names)
    for collector in declared:
        assert collector._name.startswith("slipway_")
        assert set(collector._labelnames) <= allowed


def test_a_scrape_shows_the_registry_of_its_worker(metrics: Metrics) -> None:
    metrics.logged("written", 5)
    metrics.fold()
    assert b'slipway_prediction_log_records_total{result="written"} 5.0' in exposition(metrics.registry)
    assert exposition(metrics.registry) == generate_latest(metrics.registry)
