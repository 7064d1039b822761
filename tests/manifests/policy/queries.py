"""Rules about PromQL, as far as it is read here: labels that series have, and values that they can take."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from tests.manifests.policy.model import Finding, Rendered, Rule, found, labels_of, rule, selects
from tests.manifests.policy.scraping import service_labels
from tests.manifests.policy.telemetry import queries

SERIES = re.compile(r"\b(slipway_[a-z0-9_]+)\{([^}]*)\}")
MATCHER = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"')
# Put on by Prometheus and its operator, and by us: `service` and the revision of a canary.
OF_THE_SCRAPE = {
    *("namespace", "service", "pod", "container", "endpoint", "instance", "job", "node"),
    "rollouts_pod_template_hash",
}
TRIGGER_FIELDS = {
    *("serverAddress", "query", "threshold", "activationThreshold", "ignoreNullValues", "namespace"),
    *("authModes", "unsafeSsl", "timeout", "customHeaders", "queryParameters"),
}


@cache
def labels_by_series() -> dict[str, set[str]]:
    """Of the two programs' registries: made, and asked."""
    from prometheus_client import CollectorRegistry

    from serving.agent.metrics import AgentMetrics
    from serving.metrics import Metrics

    registry = CollectorRegistry()
    Metrics(registry)
    found: dict[str, set[str]] = {}
    for each in (registry, AgentMetrics().registry):
        for collector, names in each._collector_to_names.items():
            own = {*getattr(collector, "_labelnames", ()), "le"}
            found |= {name: own if name.endswith("_bucket") else own - {"le"} for name in names}
    return found


@cache
def bounds_by_series() -> dict[str, set[float]]:
    from prometheus_client import CollectorRegistry

    from serving.metrics import Metrics

    registry = CollectorRegistry()
    Metrics(registry)
    return {
        name: {float(bound) for bound in getattr(collector, "_kwargs", {}).get("buckets", ())}
        for collector, names in registry._collector_to_names.items()
        for name in names
        if name.endswith("_bucket")
    }


@rule(
    "labels-exist",
    "a label that a series does not have matches everything where it is refused, and nothing where it is asked for",
)
def labels_exist(rendered: Rendered) -> Iterator[Finding]:
    known, bounds = labels_by_series(), bounds_by_series()
    for manifest, query in queries(rendered):
        for name, inside in SERIES.findall(_filled(query)):
            matchers = MATCHER.findall(inside)
            for label in {label for label, _, _ in matchers} - known.get(name, set()) - OF_THE_SCRAPE:
                yield found(manifest, f"{name} has no label {label}")
            for _, _, bound in (each for each in matchers if each[:2] == ("le", "=") and bounds.get(name)):
                if float(bound) not in bounds[name]:
                    yield found(manifest, f"{name} has no bucket at {bound}")


def _filled(query: str) -> str:
    return re.sub(r"\{\{[^}]*\}\}", "filled", query)


@rule(
    "queries-find",
    "a query of another Service's series has no answer, and an autoscaler without one falls back",
)
def queries_find(rendered: Rendered) -> Iterator[Finding]:
    named = _services(rendered)
    for manifest, query in queries(rendered):
        for _, inside in SERIES.findall(_filled(query)):
            for label, sign, value in MATCHER.findall(inside):
                if label == "service" and sign == "=" and named and value not in named:
                    yield found(
                        manifest, f"asks for the series of {value}; there are those of {sorted(named)}"
                    )


def _services(rendered: Rendered) -> set[str]:
    """What the label `service` can be: names of the Services scraped, or what a PodMonitor calls them."""
    names = {
        service.identity.name
        for monitor in rendered.of("ServiceMonitor")
        for service in rendered.of("Service")
        if selects(monitor.body["spec"]["selector"], labels_of(service))
    }
    return names | {name for monitor in rendered.of("PodMonitor") for name in service_labels(monitor) if name}


@rule("trigger-numbers", "KEDA takes any text, and says so in the log of its operator")
def trigger_numbers(rendered: Rendered) -> Iterator[Finding]:
    for scaled in rendered.of("ScaledObject"):
        spec = scaled.body["spec"]
        if spec.get("fallback", {}).get("replicas", 0) < spec.get("minReplicaCount", 0):
            yield found(scaled, "has fewer pods when Prometheus is away than with no load")
        for trigger in (each for each in spec["triggers"] if each["type"] == "prometheus"):
            yield from (found(scaled, what) for what in _wrong(trigger))


def _wrong(trigger: dict[str, Any]) -> Iterator[str]:
    metadata = trigger["metadata"]
    if not re.fullmatch(r"0*[1-9]\d*(\.\d+)?|0?\.\d*[1-9]", metadata.get("threshold", "")):
        yield f"its threshold is {metadata.get('threshold')!r}"
    if unknown := sorted(set(metadata) - TRIGGER_FIELDS):
        yield f"knows no {unknown}"
    if trigger.get("metricType", "AverageValue") != "AverageValue":
        yield "compares what all pods do with what one should"


RULES: tuple[Rule, ...] = (labels_exist, queries_find, trigger_numbers)
