"""Rules about numbers: an autoscaler, alert or analysis only asks for metrics that the service has, and somebody keeps them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from deploy.manifests.kustomize import ROOT
from tests.manifests.policy.model import Finding, Rendered, Rule, found, rule

OURS = re.compile(r"\bslipway_[a-z0-9_]+")
# Of Kubernetes, from kube-state-metrics and the kubelet, and Prometheus' own.
OF_THE_CLUSTER = re.compile(
    r"\b(?:kube|container|node|kubelet)_[a-z0-9_]+\b|\bup\b|\bscrape_[a-z_]+\b|\bALERTS\b"
)
SURGE = {"Percent": 50, "Pods": 2}  # in a minute, at least
KINDS_WITH_QUERIES = ("PrometheusRule", "ScaledObject", "AnalysisTemplate")


@cache
def service_metrics() -> frozenset[str]:
    """Names of the series that the two programs expose: made, and asked."""
    from prometheus_client import CollectorRegistry

    from serving.agent.metrics import AgentMetrics
    from serving.metrics import Metrics

    registry = CollectorRegistry()
    Metrics(registry)
    return frozenset(name for r in (registry, AgentMetrics().registry) for name in _series(r))


def _series(registry: Any) -> Iterator[str]:
    for collector in registry._collector_to_names:
        yield from registry._collector_to_names[collector]


def queries(rendered: Rendered) -> Iterator[tuple[Any, str]]:
    """Every PromQL expression of an overlay, with the object that asks it."""
    for manifest in rendered.of(*KINDS_WITH_QUERIES):
        yield from ((manifest, text) for text in _texts(manifest.body["spec"]))


def _texts(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key in {"expr", "query"} and isinstance(value, str):
                yield value
            else:
                yield from _texts(value)
    elif isinstance(node, list):
        for item in node:
            yield from _texts(item)


def recorded(rendered: Rendered) -> set[str]:
    """Names that recording rules make."""
    groups = [group for m in rendered.of("PrometheusRule") for group in m.body["spec"]["groups"]]
    return {item["record"] for group in groups for item in group["rules"] if "record" in item}


@rule(
    "metrics-exist",
    "an alert on a metric that nobody exposes is silent for ever, and an autoscaler on one is stuck",
)
def metrics_exist(rendered: Rendered) -> Iterator[Finding]:
    known = service_metrics() | recorded(rendered)
    for manifest, query in queries(rendered):
        bare = re.sub(r'"[^"]*"', '""', query)
        for name in sorted(set(OURS.findall(bare)) - known):
            yield found(manifest, f"asks for {name}, which the service does not expose")
        if not OURS.search(bare) and not OF_THE_CLUSTER.search(bare) and ":" not in bare:
            yield found(manifest, f"asks for nothing that is known: {query.strip()[:60]}")


@rule("queries-are-ours", "two deployments on one Prometheus must not answer for each other")
def queries_are_ours(rendered: Rendered) -> Iterator[Finding]:
    namespaces = {manifest.identity.name for manifest in rendered.of("Namespace")}
    for manifest in rendered.of("ScaledObject"):
        for _, query in (pair for pair in queries(rendered) if pair[0] is manifest):
            named = set(re.findall(r'namespace="([^"]*)"', query))
            if OURS.search(query) and named != namespaces:
                yield found(manifest, f"counts requests of {named or 'everybody'}")


@rule("alerts-explain", "whoever is woken needs to know what it means and what to do")
def alerts_explain(rendered: Rendered) -> Iterator[Finding]:
    for manifest in rendered.of("PrometheusRule"):
        for alert in alerts(manifest.body):
            name, notes = alert["alert"], alert.get("annotations", {})
            for field in ("summary", "runbook_url"):
                if not notes.get(field):
                    yield found(manifest, f"{name} has no {field}")
            if alert.get("labels", {}).get("severity") not in {"critical", "warning", "info"}:
                yield found(manifest, f"{name} has no severity")
            if not runbook_exists(notes.get("runbook_url", "")):
                yield found(manifest, f"{name} has no runbook at {notes.get('runbook_url')}")


def alerts(body: dict[str, Any]) -> list[dict[str, Any]]:
    return [item for group in body["spec"]["groups"] for item in group["rules"] if "alert" in item]


def runbook_exists(address: str) -> bool:
    """The file is in the tree, and so is the heading, where the address names one."""
    path, _, heading = address.partition("#")
    name = path.rpartition("docs/runbooks/")[2]
    file = ROOT / "docs" / "runbooks" / name
    if not name or not file.is_file():
        return False
    titles = {_anchor(line) for line in file.read_text(encoding="utf-8").splitlines() if line.startswith("#")}
    return not heading or heading in titles


def _anchor(heading: str) -> str:
    kept = re.sub(r"[^\w\- ]", "", heading.lstrip("#").strip().lower())
    return kept.replace(" ", "-")


@rule(
    "autoscaler-has-room",
    "a minimum that is the maximum scales nothing, and one pod is none while it is replaced",
)
def autoscaler_has_room(rendered: Rendered) -> Iterator[Finding]:
    for manifest in rendered.of("HorizontalPodAutoscaler", "ScaledObject"):
        spec = manifest.body["spec"]
        least = spec.get("minReplicas", spec.get("minReplicaCount", 0))
        most = spec.get("maxReplicas", spec.get("maxReplicaCount", 100))
        if least < 2:
            yield found(manifest, f"goes down to {least}")
        if most <= least:
            yield found(manifest, f"cannot go from {least} to {most}")
    for manifest in rendered.of("InferenceService"):
        predictor = manifest.body["spec"]["predictor"]
        least, most = predictor.get("minReplicas", 0), predictor.get("maxReplicas", 0)
        if least < 2 or most <= least:
            yield found(
                manifest, f"scales from {least} to {most}: without a maximum KServe makes it the minimum"
            )


@rule("one-autoscaler", "two autoscalers of one target take turns")
def one_autoscaler(rendered: Rendered) -> Iterator[Finding]:
    scalers = rendered.of("HorizontalPodAutoscaler", "ScaledObject")
    targets = [manifest.body["spec"]["scaleTargetRef"]["name"] for manifest in scalers]
    for name in sorted({name for name in targets if targets.count(name) > 1}):
        yield Finding(f"{name} is scaled twice", rendered.overlay)
    if rendered.of("InferenceService") and scalers:
        yield Finding("KServe makes an HPA of its own beside this one", rendered.overlay)


@rule("no-replicas", "a number in Git and an autoscaler overwrite each other at every sync")
def no_replicas(rendered: Rendered) -> Iterator[Finding]:
    borrowed = {m.body["spec"].get("workloadRef", {}).get("name") for m in rendered.of("Rollout")}
    for pod in rendered.service_pods:
        owner = pod.owner
        if owner.identity.kind == "Deployment" and "replicas" in owner.body["spec"]:
            if not (owner.identity.name in borrowed and owner.body["spec"]["replicas"] == 0):
                yield found(owner, "says how many pods there are")
    for rollout in rendered.of("Rollout"):
        if "replicas" in rollout.body["spec"]:
            yield found(rollout, "says how many pods there are")


@rule(
    "scaling-manners", "up at once and down slowly: a burst that returns after a minute meets what it needs"
)
def scaling_manners(rendered: Rendered) -> Iterator[Finding]:
    for manifest in rendered.of("HorizontalPodAutoscaler", "ScaledObject"):
        spec = manifest.body["spec"]
        advanced = spec.get("advanced", {}).get("horizontalPodAutoscalerConfig", {})
        behavior = spec.get("behavior") or advanced.get("behavior") or {}
        up, down = behavior.get("scaleUp", {}), behavior.get("scaleDown", {})
        quick = [
            p for p in up.get("policies", ()) if p["periodSeconds"] <= 60 and p["value"] >= SURGE[p["type"]]
        ]
        if up.get("stabilizationWindowSeconds") != 0 or not quick:
            yield found(manifest, "waits before it scales up")
        if down.get("stabilizationWindowSeconds", 0) < 300 or not down.get("policies"):
            yield found(manifest, "scales down in a hurry")


@rule("scaling-signal", "CPU of the pod counts its sidecars, and divides by what they requested")
def scaling_signal(rendered: Rendered) -> Iterator[Finding]:
    for manifest in rendered.of("HorizontalPodAutoscaler"):
        kinds = {metric["type"] for metric in manifest.body["spec"].get("metrics", ())}
        if kinds != {"ContainerResource"}:
            yield found(manifest, f"measures {sorted(kinds)}")


@rule(
    "concurrency-signal", "no data is no news of no load; the gauge of a moment stays up when a worker dies"
)
def concurrency_signal(rendered: Rendered) -> Iterator[Finding]:
    for manifest in rendered.of("ScaledObject"):
        spec = manifest.body["spec"]
        if not spec.get("fallback"):
            yield found(manifest, "has no fallback for when Prometheus is away")
        for trigger in spec["triggers"]:
            if trigger["type"] == "prometheus":
                if trigger["metadata"].get("ignoreNullValues") != "false":
                    yield found(manifest, "takes no data for no load")
                if "rate(" not in trigger["metadata"]["query"]:
                    yield found(manifest, "scales on the gauge of a moment")


RULES: tuple[Rule, ...] = (
    *(metrics_exist, queries_are_ours, alerts_explain, autoscaler_has_room, one_autoscaler, no_replicas),
    *(scaling_manners, scaling_signal, concurrency_signal),
)
