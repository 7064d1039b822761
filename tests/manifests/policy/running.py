"""Rules about how a pod starts, answers probes, is replaced and ends, and about what it may use up."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from serving.agent.ending import AS_SIDECAR, SHIPPING
from serving.lifecycle.settings import DRAIN_LIMIT_SECONDS
from tests.manifests.policy.model import (
    Finding,
    Rendered,
    Rule,
    answers,
    found,
    is_agent,
    ours,
    rule,
    selects,
    size,
)

FLUSH_SECONDS = (
    9  # of the spool, after the last request: measured in fractions of a second, given the rest of the grace
)
PROBE_PATHS = {"liveness": "/livez", "readiness": "/readyz"}


@rule("roll-out", "capacity never shrinks during a roll-out, and one that does not finish says so")
def roll_out(rendered: Rendered) -> Iterator[Finding]:
    for pod in rendered.service_pods:
        body, kind = pod.owner.body["spec"], pod.owner.identity.kind
        strategy = (
            body["predictor"].get("deploymentStrategy")
            if kind == "InferenceService"
            else body.get("strategy")
        )
        if kind in {"Deployment", "InferenceService"}:
            rolling = (strategy or {}).get("rollingUpdate") or {}
            if rolling.get("maxUnavailable") not in (0, "0%") or not rolling.get("maxSurge"):
                yield found(pod, f"a roll-out takes pods away: {rolling}")
        if kind == "Deployment":
            wanted = {"minReadySeconds": 5, "progressDeadlineSeconds": 300, "revisionHistoryLimit": 5}
            yield from (
                found(pod, f"{name} is {body.get(name)}, not {value}")
                for name, value in wanted.items()
                if body.get(name) != value
            )


@rule(
    "shutdown-fits",
    "preStop counts against the grace period: SIGKILL in the middle of a drain loses answers and records",
)
def shutdown_fits(rendered: Rendered) -> Iterator[Finding]:
    for pod in rendered.service_pods:
        for container in (c for c in pod.containers if answers(c)):
            wait = before_stop(container)
            if wait is None or wait < 5:
                yield found(pod, "no preStop that waits until endpoints forget the pod", container)
                continue
            last = AS_SIDECAR if rendered.environment(container).get("SPOOL_HANDOFF_URL") else SHIPPING
            needed = wait + DRAIN_LIMIT_SECONDS + last.ship + last.hand_over
            grace = pod.spec.get("terminationGracePeriodSeconds", 30)
            if pod.owner.identity.kind != "ClusterServingRuntime" and needed >= grace:
                yield found(pod, f"needs {needed} s to end and is given {grace}", container)


@rule(
    "drain-file",
    "BentoML closes its listener at SIGTERM: the pod must be unready before, and say `Connection: close`",
)
def drain_file(rendered: Rendered) -> Iterator[Finding]:
    for pod in rendered.service_pods:
        for container in (c for c in pod.containers if answers(c)):
            command = (
                ((container.get("lifecycle") or {}).get("preStop") or {}).get("exec", {}).get("command", [])
            )
            if "DRAIN_FILE" not in " ".join(command):
                yield found(pod, "preStop does not touch the drain file", container)


def before_stop(container: dict[str, Any]) -> int | None:
    """Seconds between the decision to end a pod and its SIGTERM."""
    hook = (container.get("lifecycle") or {}).get("preStop") or {}
    if "sleep" in hook:
        return int(hook["sleep"]["seconds"])
    told = re.search(r"sleep (\d+)", " ".join(hook.get("exec", {}).get("command", [])))
    return int(told[1]) if told else None


@rule(
    "service-probes",
    "liveness answers while models load, readiness when all can answer, and neither asks Redis or SQL",
)
def service_probes(rendered: Rendered) -> Iterator[Finding]:
    for pod in rendered.service_pods:
        for container in (c for c in pod.containers if answers(c) or (is_agent(c) and c in pod.running)):
            probes = {name: container.get(f"{name}Probe") for name in ("startup", "readiness", "liveness")}
            expected = {"startup": "/livez", "liveness": "/livez"} | (
                {"readiness": "/readyz"} if answers(container) else {}
            )
            for name, path in expected.items():
                asked = (probes[name] or {}).get("httpGet") or {}
                if asked.get("path") != path or asked.get("port") != (
                    "http" if answers(container) else "agent-metrics"
                ):
                    yield found(pod, f"its {name} probe asks {asked}, not for {path}", container)
            patience = _seconds(probes["startup"])
            if patience is not None and patience < 60:
                yield found(pod, f"is given {patience} s to start", container)
            if (quick := _seconds(probes["liveness"])) is not None and quick < 30:
                yield found(pod, f"is killed after {quick} s of silence", container)


def _seconds(probe: dict[str, Any] | None) -> int | None:
    return None if probe is None else probe.get("periodSeconds", 10) * probe.get("failureThreshold", 3)


@rule("every-process-is-probed", "a process that hangs looks like one that works to whoever does not ask")
def every_process_is_probed(rendered: Rendered) -> Iterator[Finding]:
    for pod in rendered.pods:
        if not pod.long_running:
            continue
        for container in pod.running:
            if "livenessProbe" not in container:
                yield found(pod, "no liveness probe", container)
            if "readinessProbe" not in container and container in pod.spec["containers"]:
                yield found(pod, "no readiness probe", container)


@rule(
    "probe-ports",
    "a probe by name survives a change of the number, and one that names nothing never succeeds",
)
def probe_ports(rendered: Rendered) -> Iterator[Finding]:
    for pod, container in rendered.containers():
        names = {port.get("name") for port in container.get("ports", ())}
        for name in ("startupProbe", "readinessProbe", "livenessProbe"):
            probe = container.get(name) or {}
            port = (probe.get("httpGet") or probe.get("tcpSocket") or {}).get("port")
            if port is not None and port not in names:
                yield found(
                    pod, f"{name} asks port {port!r}, which is not among {sorted(map(str, names))}", container
                )


@rule("resources", "memory that is not reserved is taken back by killing; a full disk evicts neighbours")
def resources(rendered: Rendered) -> Iterator[Finding]:
    for pod, container in rendered.containers():
        given = container.get("resources") or {}
        requests, limits = given.get("requests") or {}, given.get("limits") or {}
        for name in ("cpu", "memory", "ephemeral-storage"):
            if name not in requests:
                yield found(pod, f"requests no {name}", container)
        for name in ("memory", "ephemeral-storage"):
            if name not in limits:
                yield found(pod, f"has no limit of {name}", container)
        if requests.get("memory") != limits.get("memory"):
            yield found(pod, "may use more memory than is reserved for it", container)
        yield from (
            found(pod, f"its limit of {name} is below its request", container)
            for name in requests
            if name in limits and size(limits[name]) < size(requests[name])
        )


@rule(
    "no-throttling",
    "a throttled worker misses its deadlines while the node idles: no CPU limit, or whole cores as requested",
)
def no_throttling(rendered: Rendered) -> Iterator[Finding]:
    for pod in rendered.service_pods:
        for container in pod.running:
            given = container.get("resources") or {}
            limit = (given.get("limits") or {}).get("cpu")
            if limit is not None and (size(limit) % 1 or size(limit) != size(given["requests"]["cpu"])):
                yield found(pod, f"is throttled at {limit}", container)


@rule("one-worker", "nobody restarts a dead worker in a container: one per pod, and pods are what scales")
def one_worker(rendered: Rendered) -> Iterator[Finding]:
    for pod in rendered.service_pods:
        for container in (c for c in pod.containers if answers(c)):
            environment = rendered.environment(container)
            if environment.get("WORKERS", "1") != "1":
                yield found(pod, f"runs {environment['WORKERS']} workers", container)
            if environment.get("AGENT_ENABLED") != "false" and any(is_agent(c) for c in pod.running):
                yield found(pod, "starts an agent of its own beside the sidecar", container)


@rule("spread", "pods on one node or in one zone die together; a full node must not stop a scale-up")
def spread(rendered: Rendered) -> Iterator[Finding]:
    for pod in rendered.service_pods:
        if pod.owner.identity.kind == "ClusterServingRuntime":
            continue
        constraints = pod.spec.get("topologySpreadConstraints", ())
        keys = {constraint["topologyKey"] for constraint in constraints}
        for key in {"kubernetes.io/hostname", "topology.kubernetes.io/zone"} - keys:
            yield found(pod, f"is not spread over {key}")
        for constraint in constraints:
            if constraint["whenUnsatisfiable"] != "ScheduleAnyway":
                yield found(pod, "stays pending rather than lopsided")
            if not selects(constraint.get("labelSelector"), pod.labels):
                yield found(pod, "its spread counts other pods")
            revision = "rollouts-pod-template-hash" if rendered.of("Rollout") else "pod-template-hash"
            if revision not in constraint.get("matchLabelKeys", ()):
                yield found(pod, "its spread counts pods of the revision before")


@rule("jobs-end", "a job that hangs, or that is tried for ever, is found by nobody; its pods pile up")
def jobs_end(rendered: Rendered) -> Iterator[Finding]:
    for manifest in rendered.of("Job", "CronJob"):
        spec = manifest.body["spec"]
        job = spec if manifest.identity.kind == "Job" else spec["jobTemplate"]["spec"]
        if "backoffLimit" not in job:
            yield found(manifest, "no backoffLimit")
        if "activeDeadlineSeconds" not in job:
            yield found(manifest, "no activeDeadlineSeconds")
        if job["template"]["spec"].get("restartPolicy") not in {"Never", "OnFailure"}:
            yield found(manifest, "no restartPolicy")


@rule(
    "cron-jobs-are-alone",
    "two retrainings at once write the same model; a backlog of missed runs starts all at once",
)
def cron_jobs_are_alone(rendered: Rendered) -> Iterator[Finding]:
    for manifest in rendered.of("CronJob"):
        spec = manifest.body["spec"]
        if spec.get("concurrencyPolicy") != "Forbid":
            yield found(manifest, "may run beside itself")
        for field in (
            "startingDeadlineSeconds",
            "successfulJobsHistoryLimit",
            "failedJobsHistoryLimit",
            "timeZone",
        ):
            if field not in spec:
                yield found(manifest, f"no {field}")


@rule("arguments", "a misspelt program is a pod that never starts")
def arguments(rendered: Rendered) -> Iterator[Finding]:
    known = {"serving", "serving.agent", "records", "auth", "k8s", "training", "mlflow"}
    for pod, container in rendered.containers():
        if not ours(container):
            continue
        given = container.get("args") or [""]
        if "command" not in container and given[0] not in known:
            yield found(pod, f"is asked to run {given[0]!r}", container)


RULES: tuple[Rule, ...] = (
    *(roll_out, shutdown_fits, drain_file, service_probes, every_process_is_probed, probe_ports),
    *(resources, no_throttling, one_worker, spread, jobs_end, cron_jobs_are_alone, arguments),
)
