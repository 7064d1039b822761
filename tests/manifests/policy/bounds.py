"""Rules about numbers and switches that every schema takes and nobody can have meant."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from serving.signing_settings import SigningSettings
from tests.manifests.policy.model import (
    Finding,
    Rendered,
    Rule,
    answers,
    found,
    is_agent,
    labels_of,
    rule,
    size,
)

PROBES = ("startupProbe", "readinessProbe", "livenessProbe")
# Seconds of a period, of a timeout, and of being patient in all.
MOST = {"startupProbe": (10, 10, 600), "readinessProbe": (10, 5, 60), "livenessProbe": (30, 10, 300)}
MOST_CORES = 4
AGENT_AND_PROVER = (
    320 * 2**20
)  # 206 and 65 MiB of their own, measured with all libraries loaded, and some room
LEAST_TIMEOUT = {"livenessProbe": 3}  # of the service: a busy worker is no dead one
# Each would be a decision with a reason; none has been taken.
UNUSUAL = {
    *(
        "activeDeadlineSeconds",
        "dnsConfig",
        "dnsPolicy",
        "hostAliases",
        "hostname",
        "imagePullSecrets",
        "nodeSelector",
    ),
    *("nodeName", "overhead", "preemptionPolicy", "priorityClassName", "runtimeClassName", "schedulerName"),
    *("setHostnameAsFQDN", "shareProcessNamespace"),
}
OF_A_SERVICE = {"ports", "selector", "type", "ipFamilyPolicy", "ipFamilies"}
OF_A_HEADLESS_ONE = {"clusterIP", "publishNotReadyAddresses"}  # pods of one job that find each other


@rule(
    "probe-bounds",
    "a probe that asks every five minutes lets a dead pod answer for five minutes, or a new one wait",
)
def probe_bounds(rendered: Rendered) -> Iterator[Finding]:
    for pod, container in rendered.containers():
        for name in PROBES:
            if probe := container.get(name):
                yield from (found(pod, f"{name}: {what}", container) for what in _beyond(name, probe))
                if (answers(container) or is_agent(container)) and _timeout(probe) < LEAST_TIMEOUT.get(
                    name, 1
                ):
                    yield found(pod, f"{name}: kills who is busy for {_timeout(probe)} s", container)


def _beyond(name: str, probe: dict[str, Any]) -> Iterator[str]:
    period, timeout, patience = MOST[name]
    every = probe.get("periodSeconds", 10)
    waits = {
        "initialDelaySeconds": 10,
        "periodSeconds": period,
        "timeoutSeconds": timeout,
        "successThreshold": 1,
    }
    yield from (f"{field} is {probe[field]}" for field, most in waits.items() if probe.get(field, 0) > most)
    if every * probe.get("failureThreshold", 3) > patience:
        yield f"is patient for {every * probe['failureThreshold']} s"
    if probe.get("httpGet", {}).get("scheme", "HTTP") != "HTTP":
        yield "asks for TLS, which no program of a pod speaks"


def _timeout(probe: dict[str, Any]) -> int:
    return int(probe.get("timeoutSeconds", 1))


@rule(
    "nothing-paused",
    "what is paused keeps its old pods at every sync, and looks in Git as if it had the new ones",
)
def nothing_paused(rendered: Rendered) -> Iterator[Finding]:
    for manifest in rendered.manifests:
        spec = manifest.body.get("spec") or {}
        for field in ("paused", "suspend"):
            if spec.get(field):
                yield found(manifest, f"{field} is {spec[field]}")
        notes = manifest.body["metadata"].get("annotations") or {}
        yield from (found(manifest, f"has {note}") for note in notes if "paused" in note)


@rule(
    "usual-pods",
    "who orders a pod's node, names or death from its manifest says why, and there is no such reason here",
)
def usual_pods(rendered: Rendered) -> Iterator[Finding]:
    for pod in rendered.pods:
        yield from (found(pod, f"sets {field}") for field in sorted(UNUSUAL & set(pod.spec)))
        if pod.long_running and pod.spec.get("restartPolicy", "Always") != "Always":
            yield found(pod, "is not started again")


@rule(
    "usual-services",
    "an address that others may claim, or traffic to pods that are not ready, is no field by accident",
)
def usual_services(rendered: Rendered) -> Iterator[Finding]:
    for service in rendered.of("Service"):
        spec = service.body["spec"]
        headless = (
            labels_of(service).get("app.kubernetes.io/component") == "batch"
            and spec.get("clusterIP") == "None"
        )
        allowed = OF_A_SERVICE | (OF_A_HEADLESS_ONE if headless else set())
        yield from (found(service, f"sets {field}") for field in sorted(set(spec) - allowed))


@rule(
    "job-bounds",
    "a Job that is deleted as it ends is run again by whoever keeps it there; one with seconds never finishes",
)
def job_bounds(rendered: Rendered) -> Iterator[Finding]:
    for manifest in rendered.of("Job", "CronJob"):
        spec = manifest.body["spec"]
        job = spec.get("jobTemplate", {}).get("spec") or spec
        if job.get("ttlSecondsAfterFinished", 600) < 60:
            yield found(manifest, "is deleted before anybody has read its log")
        if job.get("activeDeadlineSeconds", 600) < 60:
            yield found(manifest, f"is given {job['activeDeadlineSeconds']} s")
        if not 1 <= job.get("backoffLimit", 6) <= 20:
            yield found(manifest, f"is tried again {job['backoffLimit']} times")


@rule(
    "fits-a-node",
    "a pod that asks for more than a node has is pending for ever; one for less than it uses is starved",
)
def fits_a_node(rendered: Rendered) -> Iterator[Finding]:
    for pod, container in rendered.containers():
        cpu = size(container.get("resources", {}).get("requests", {}).get("cpu", 0))
        if not (0.1 if answers(container) else 0.01) <= cpu <= MOST_CORES:
            yield found(pod, f"requests {cpu} cores", container)
    for pod in rendered.pods:
        scratch = [
            v["emptyDir"] for v in pod.spec.get("volumes", ()) if (v.get("emptyDir") or {}).get("medium")
        ]
        limits = [(c.get("resources", {}).get("limits") or {}).get("memory", 0) for c in pod.running]
        if 2 * sum(size(each.get("sizeLimit", 0)) for each in scratch) > sum(map(size, limits)):
            yield found(pod, "its volumes in memory leave its processes less than half of it")


@rule(
    "trial-fits",
    "a version that takes all it may take the agent with it, which then tries the same version again",
)
def trial_fits(rendered: Rendered) -> Iterator[Finding]:
    for pod, container in rendered.containers():
        if is_agent(container):
            default = SigningSettings.model_fields["model_load_limit_bytes"].default
            trial = int(rendered.environment(container).get("MODEL_LOAD_LIMIT_BYTES", default))
            memory = size((container.get("resources", {}).get("limits") or {}).get("memory", 0))
            if memory < AGENT_AND_PROVER + trial:
                yield found(pod, f"has {memory:.0f} bytes for itself and a trial of {trial}", container)


@rule("utilization", "nothing is busier than wholly: an autoscaler that waits for more waits for ever")
def utilization(rendered: Rendered) -> Iterator[Finding]:
    for manifest in rendered.of("HorizontalPodAutoscaler", "ScaledObject", "InferenceService"):
        for percent in _percents(manifest.body["spec"]):
            if not (str(percent).isdigit() and 30 <= int(percent) <= 90):
                yield found(manifest, f"keeps its pods at {percent} % of their CPU")


def _percents(spec: dict[str, Any]) -> Iterator[Any]:
    for metric in spec.get("metrics", ()):
        yield metric.get("containerResource", {}).get("target", {}).get("averageUtilization")
    for trigger in spec.get("triggers", ()):
        if trigger["type"] == "cpu":
            yield trigger["metadata"].get("value")
    if "predictor" in spec:
        cpu = spec["predictor"].get("scaleMetric") == "cpu"
        yield spec["predictor"].get("scaleTarget") if cpu else spec["predictor"].get("scaleMetric")


RULES: tuple[Rule, ...] = (
    *(
        probe_bounds,
        nothing_paused,
        usual_pods,
        usual_services,
        job_bounds,
        fits_a_node,
        trial_fits,
        utilization,
    ),
)
