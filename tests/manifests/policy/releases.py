"""Rules about what others run for us: KServe's InferenceService and its runtime, and canaries of Argo Rollouts."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.manifests.policy.model import Finding, Rendered, Rule, annotation, answers, found, rule

KSERVE = "serving.kserve.io/"
MODE = f"{KSERVE}deploymentMode"


@rule(
    "kserve-mode", "the old name of the mode is a warning today; serverless pods have no place for an agent"
)
def kserve_mode(rendered: Rendered) -> Iterator[Finding]:
    for service in rendered.of("InferenceService"):
        if annotation(service, MODE) != "Standard":
            yield found(service, f"is deployed as {annotation(service, MODE)!r}")
        orders = {name for name in service.body["metadata"].get("annotations", {}) if name.startswith(KSERVE)}
        if orders - {MODE}:
            yield found(service, f"is told more than its mode: {sorted(orders - {MODE})}")


@rule(
    "kserve-container",
    "KServe finds the container by its name, and makes its first port the Service's port 80",
)
def kserve_container(rendered: Rendered) -> Iterator[Finding]:
    for service in rendered.of("InferenceService", "ClusterServingRuntime"):
        spec = service.body["spec"]
        holder = spec.get("predictor", spec)
        first = holder["containers"][0]
        if first["name"] != "kserve-container" or not answers(first):
            yield found(service, f"its first container is {first['name']}")
        ports = first.get("ports") or [{}]
        if ports[0].get("containerPort") != 8000:
            yield found(service, f"its first port is {ports[0].get('containerPort')}")
        if "readinessProbe" not in first:
            yield found(service, "is ready as soon as a port is open")


@rule("kserve-scale", "without a maximum KServe takes the minimum for it: an autoscaler that cannot scale")
def kserve_scale(rendered: Rendered) -> Iterator[Finding]:
    for service in rendered.of("InferenceService"):
        predictor = service.body["spec"]["predictor"]
        for field in ("minReplicas", "maxReplicas", "scaleMetric", "scaleTarget"):
            if field not in predictor:
                yield found(service, f"no {field}")
        for field in ("canaryTrafficPercent", "containerConcurrency", "timeout"):
            if field in predictor:
                yield found(service, f"sets {field}, which Standard mode ignores")


@rule("serving-runtime", "a runtime serves the one servable that KServe's storage initializer brought")
def serving_runtime(rendered: Rendered) -> Iterator[Finding]:
    for runtime in rendered.of("ClusterServingRuntime"):
        spec = runtime.body["spec"]
        if not any(entry["name"] == "slipway-servable" for entry in spec.get("supportedModelFormats", ())):
            yield found(runtime, "supports no slipway-servable")
        for container in (c for c in spec["containers"] if answers(c)):
            environment = rendered.environment(container)
            if environment.get("MODEL_SOURCE") != "path" or environment.get("MODEL_PATH") != "/mnt/models":
                yield found(runtime, "does not serve what lies at /mnt/models", container)


@rule(
    "rollout-borrows",
    "one source of the pod's template; its Deployment starts no pods, and loses those that serve by a person alone",
)
def rollout_borrows(rendered: Rendered) -> Iterator[Finding]:
    for rollout in rendered.of("Rollout"):
        spec = rollout.body["spec"]
        reference = spec.get("workloadRef", {})
        lender = rendered.find(reference.get("kind", ""), reference.get("name", ""))
        if lender is None:
            yield found(rollout, f"borrows from {reference}, which is not rendered")
        elif lender.body["spec"].get("replicas") != 0:
            yield found(lender, "has pods that every release replaces at once")
        if reference.get("scaleDown") != "never":
            yield found(rollout, "takes the pods that serve away for the one that it starts with")
        if spec["strategy"].get("canary", {}).get("maxUnavailable") not in (0, "0%"):
            yield found(rollout, "takes pods away before there are others")
        for scaler in rendered.of("HorizontalPodAutoscaler", "ScaledObject"):
            if scaler.body["spec"]["scaleTargetRef"].get("kind") != "Rollout":
                yield found(scaler, "scales the Deployment, which has no pods any more")


@rule("analyses-exist", "a canary that nobody judges is a slow roll-out")
def analyses_exist(rendered: Rendered) -> Iterator[Finding]:
    for rollout in rendered.of("Rollout"):
        steps = rollout.body["spec"]["strategy"]["canary"]["steps"]
        names = {t["templateName"] for step in steps for t in step.get("analysis", {}).get("templates", ())}
        if not names:
            yield found(rollout, "judges nothing")
        for name in sorted(names):
            if rendered.find("AnalysisTemplate", name) is None:
                yield found(rollout, f"is judged by {name}, which is not rendered")


@rule(
    "silence-is-no-verdict",
    "without traffic a canary is neither good nor bad: the release pauses, and a person decides",
)
def silence_is_no_verdict(rendered: Rendered) -> Iterator[Finding]:
    for template in rendered.of("AnalysisTemplate"):
        for metric in template.body["spec"]["metrics"]:
            for field in ("successCondition", "failureCondition"):
                condition = metric.get(field, "")
                if "result" in condition and "len(result) > 0" not in condition:
                    yield found(
                        template, f"{metric['name']}: {field} speaks of a result that may not be there"
                    )
            if "failureCondition" not in metric or "inconclusiveLimit" not in metric:
                yield found(template, f"{metric['name']}: no data is taken for a failure")


@rule("canary-alone", "the whole fleet's errors hide a canary's, and the stable pods' share passes it")
def canary_alone(rendered: Rendered) -> Iterator[Finding]:
    for template in rendered.of("AnalysisTemplate"):
        for metric in template.body["spec"]["metrics"]:
            query = metric["provider"]["prometheus"]["query"]
            series = re.findall(r"slipway_\w+\{[^}]*", query.replace("{{", "").replace("}}", ""))
            if not series or not all(
                "rollouts_pod_template_hash=" in one and "namespace=" in one for one in series
            ):
                yield found(template, f"{metric['name']} judges more than the canary")
    if rendered.of("AnalysisTemplate"):
        for monitor in rendered.of("ServiceMonitor"):
            if "rollouts-pod-template-hash" not in monitor.body["spec"].get("podTargetLabels", ()):
                yield found(monitor, "does not say which revision a series is of")


RULES: tuple[Rule, ...] = (
    *(kserve_mode, kserve_container, kserve_scale, serving_runtime, rollout_borrows, analyses_exist),
    *(silence_is_no_verdict, canary_alone),
)
