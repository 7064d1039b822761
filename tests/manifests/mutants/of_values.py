"""Mutants that every schema takes: a name, a number or a switch that nobody can have meant."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.manifests.mutants.mutant import Mutant

D = "Deployment slipway"
POD = "spec/template/spec"
MAIN = "spec/template/spec/containers/slipway"
AGENT = "spec/template/spec/initContainers/agent"
SETTINGS = "ConfigMap slipway-settings"
SERVICE = "Service slipway"
MONITOR = "ServiceMonitor slipway"
PODS = "PodMonitor slipway"
KEDA = "ScaledObject slipway"
PROMETHEUS = "spec/triggers/concurrency/metadata"
HPA = "HorizontalPodAutoscaler slipway"
PERCENT = "spec/metrics/0/containerResource/target/averageUtilization"
ISVC = "InferenceService slipway"
RETRAIN = "CronJob retrain"
BATCH = "CronJob batch"
RETRAIN_POD = "spec/jobTemplate/spec/template/spec"
SMOKE = "Job smoke-test"
TOLD = "spec/template/spec/containers/smoke-test/args"
ALB = "metadata/annotations/alb.ingress.kubernetes.io~1"
STORES = "company-of-stores"
OUTSIDE = "company-outside"
CANARY = "Rollout slipway"
STEPS = "spec/strategy/canary/steps"
ANALYSIS = "AnalysisTemplate slipway-canary"
QUERY = "provider/prometheus/query"


def _with(old: str, new: str) -> Callable[[Any], Any]:
    """The same text, or list of texts, with one word changed."""

    def changed(value: Any) -> Any:
        assert old in str(value)
        return (
            [each.replace(old, new) for each in value] if isinstance(value, list) else value.replace(old, new)
        )

    return changed


def _steps(*order: int) -> Callable[[list[Any]], list[Any]]:
    return lambda steps: [steps[at] for at in order]


PLACES = (
    Mutant("ports-apart", SETTINGS, "data/API_PORT", "8001"),
    Mutant("settings-known", SETTINGS, "data/MLFLOW_TRACKNG_URI", "https://mlflow.production.example.com"),
    Mutant("settings-known", SETTINGS, "data/OTEL_ENDPOINT", "x"),
    Mutant("hosts-exist", SETTINGS, "data/MLFLOW_TRACKING_URI", "http://mlflow:5000"),
    Mutant("hosts-exist", SETTINGS, "data/MLFLOW_TRACKING_URI", "http://mlflow:5001", of="dev"),
    Mutant(
        "hosts-exist", SETTINGS, "data/MLFLOW_TRACKING_URI", "http://mlfow.slipway-dev.svc:5000", of="dev"
    ),
    Mutant("hosts-exist", SMOKE, TOLD, _with("slipway:8000", "slipwaj:8000")),
    Mutant("hosts-exist", SMOKE, TOLD, _with("slipway-predictor", "slipway"), of="kserve"),
    Mutant("smoke-asks-the-service", SMOKE, TOLD, _with("slipway:8000", "slipway:9100")),
    Mutant(
        "prometheus-address", KEDA, f"{PROMETHEUS}/serverAddress", "http://prometheus.monitoring.svc:9091"
    ),
    Mutant("prometheus-address", ANALYSIS, "spec/args/prometheus/value", "http://prometheus:9090", of=STORES),
    Mutant("commands-parse", "Job migrations", f"{POD}/containers/migrations/args", ["records", "upgrad"]),
    Mutant("commands-parse", SMOKE, TOLD, _with("smoke", "smokey")),
    Mutant("commands-parse", SMOKE, TOLD, _with("--url", "--ur")),
    Mutant("commands-parse", D, f"{AGENT}/args", ["serving.agent", "--onse"]),
    Mutant("commands-parse", D, f"{MAIN}/args", ["serving", "serv"]),
    Mutant("commands-parse", D, f"{POD}/initContainers/model-store-init/args", _with("--once", "--one")),
    Mutant(
        "commands-parse",
        BATCH,
        f"{RETRAIN_POD}/containers/batch/args",
        _with("--workers", "--worker"),
        of=STORES,
    ),
    Mutant(
        "commands-parse",
        "StatefulSet mlflow",
        f"{POD}/containers/mlflow/args",
        _with("server", "serve"),
        of="dev",
    ),
    Mutant(
        "named-files",
        RETRAIN,
        f"{RETRAIN_POD}/containers/retrain/command",
        _with("retrain.sh", "retrian.sh"),
        of=STORES,
    ),
    Mutant("named-files", SMOKE, TOLD, _with("/etc/slipway/secrets/", "/etc/slipway/secret/")),
)
NUMBERS = (
    Mutant("probe-bounds", D, f"{MAIN}/readinessProbe/periodSeconds", 300),
    Mutant("probe-bounds", D, f"{MAIN}/readinessProbe/initialDelaySeconds", 3600),
    Mutant("probe-bounds", D, f"{MAIN}/readinessProbe/timeoutSeconds", 30),
    Mutant("probe-bounds", D, f"{MAIN}/readinessProbe/httpGet/scheme", "HTTPS"),
    Mutant("probe-bounds", D, f"{MAIN}/livenessProbe/failureThreshold", 1000),
    Mutant("probe-bounds", D, f"{MAIN}/livenessProbe/timeoutSeconds", 1),
    Mutant("service-probes", D, f"{MAIN}/startupProbe/httpGet/port", "metrics"),
    Mutant("nothing-paused", D, "spec/paused", True),
    Mutant("nothing-paused", CANARY, "spec/paused", True, of=STORES),
    Mutant("nothing-paused", RETRAIN, "spec/suspend", True, of=STORES),
    Mutant("usual-pods", D, f"{POD}/hostAliases", [{"ip": "10.0.0.1", "hostnames": ["mlflow"]}]),
    Mutant("usual-pods", D, f"{POD}/priorityClassName", "system-node-critical"),
    Mutant("usual-pods", D, f"{POD}/restartPolicy", "Never"),
    Mutant("usual-pods", D, f"{POD}/nodeSelector", {"disk": "ssd"}),
    Mutant(
        "budgets",
        "PodDisruptionBudget slipway",
        "spec/selector/matchLabels",
        {"app.kubernetes.io/name": "slipway"},
    ),
    Mutant("whole-api", "Ingress slipway", "spec/rules/0/http/paths/0/path", "/predict"),
    Mutant("fits-a-node", D, f"{MAIN}/resources/requests/cpu", "100"),
    Mutant("fits-a-node", D, f"{MAIN}/resources/requests/cpu", "1m"),
    Mutant("fits-a-node", D, f"{POD}/volumes/run/emptyDir", {"medium": "Memory", "sizeLimit": "2Gi"}),
    Mutant("kserve-scale", ISVC, "spec/predictor/containerConcurrency", 1, of="kserve"),
    Mutant("one-template", CANARY, "spec/selector", {"matchLabels": {"a": "b"}}, of=STORES),
    Mutant("whole-api", "Ingress slipway", "spec/rules/0/http/paths/0/pathType", "Exact"),
    Mutant("whole-api", "HTTPRoute slipway", "spec/rules/0/matches/0/path/value", "/predict", of=OUTSIDE),
    Mutant("load-balancer-asks", "Ingress slipway", f"{ALB}healthcheck-path", "/ready", of="aws"),
    Mutant("load-balancer-asks", "Ingress slipway", f"{ALB}target-type", "instance", of="aws"),
    Mutant("load-balancer-asks", "Ingress slipway", f"{ALB}healthcheck-port", "9100", of="aws"),
    Mutant("usual-services", SERVICE, "spec/externalIPs", ["1.2.3.4"]),
    Mutant("usual-services", SERVICE, "spec/publishNotReadyAddresses", True),
    Mutant("usual-services", SERVICE, "spec/internalTrafficPolicy", "Local"),
    Mutant("job-bounds", "Job migrations", "spec/ttlSecondsAfterFinished", 0),
    Mutant("job-bounds", "Job migrations", "spec/activeDeadlineSeconds", 5),
    Mutant("job-bounds", "Job migrations", "spec/backoffLimit", 0),
    Mutant("utilization", HPA, PERCENT, 650, of="staging"),
    Mutant("utilization", KEDA, "spec/triggers/cpu/metadata/value", "650"),
    Mutant("utilization", ISVC, "spec/predictor/scaleTarget", 650, of="kserve"),
    Mutant("utilization", ISVC, "spec/predictor/scaleMetric", "memory", of="kserve"),
    Mutant("scaling-manners", HPA, "spec/behavior/scaleUp/policies/0/periodSeconds", 1800, of="staging"),
    Mutant("scaling-manners", HPA, "spec/behavior/scaleUp/policies/0/value", 1, of="staging"),
    Mutant("scaled-targets", HPA, "spec/scaleTargetRef/apiVersion", "extensions/v1beta1", of="staging"),
    Mutant("trigger-numbers", KEDA, f"{PROMETHEUS}/threshold", "eight"),
    Mutant("trigger-numbers", KEDA, f"{PROMETHEUS}/threshold", "0"),
    Mutant("trigger-numbers", KEDA, f"{PROMETHEUS}/limit", "8"),
    Mutant("trigger-numbers", KEDA, "spec/fallback/replicas", 1),
    Mutant("trigger-numbers", KEDA, "spec/triggers/concurrency/metricType", "Value"),
)
SERIES = (
    Mutant("monitor-asks", MONITOR, "spec/endpoints/0/path", "/metricz"),
    Mutant("monitor-asks", MONITOR, "spec/endpoints/0/scheme", "https"),
    Mutant("monitor-asks", MONITOR, "spec/sampleLimit", 5),
    Mutant("monitor-asks", MONITOR, "spec/namespaceSelector", {"matchNames": ["default"]}),
    Mutant("monitor-asks", MONITOR, "spec/namespaceSelector", {"any": True}),
    Mutant("monitor-asks", PODS, "spec/podMetricsEndpoints/0/path", "/", of="kserve"),
    Mutant("pods-named-as-services", PODS, "spec/podMetricsEndpoints/0/relabelings", of="kserve"),
    Mutant("queries-find", KEDA, f"{PROMETHEUS}/query", _with('service="slipway"', 'service="slipwai"')),
    Mutant(
        "labels-exist",
        ANALYSIS,
        f"spec/metrics/answered/{QUERY}",
        _with('code!~"5.."', 'status!~"5.."'),
        of=STORES,
    ),
    Mutant(
        "labels-exist", ANALYSIS, f"spec/metrics/quick/{QUERY}", _with('le="0.25"', 'le="0.3"'), of=STORES
    ),
    Mutant("analysis-arguments", ANALYSIS, "spec/args/canary-hash/name", "canary-hsh", of=STORES),
    Mutant(
        "analysis-arguments",
        ANALYSIS,
        f"spec/metrics/answered/{QUERY}",
        _with("canary-hash", "canary-hsh"),
        of=STORES,
    ),
    Mutant("analysis-arguments", CANARY, f"{STEPS}/2/analysis/args/namespace", of=STORES),
    Mutant("canary-steps", CANARY, f"{STEPS}/0/setWeight", 100, of=STORES),
    Mutant("canary-steps", CANARY, STEPS, _steps(0, 1, 3, 4, 5), of=STORES),
    Mutant("canary-steps", CANARY, STEPS, _steps(0, 1, 2, 3, 4), of=STORES),
    Mutant(
        "honest-verdicts",
        ANALYSIS,
        "spec/metrics/answered/successCondition",
        "len(result) > 0 && result[0] >= 0",
        of=STORES,
    ),
    Mutant(
        "honest-verdicts",
        ANALYSIS,
        "spec/metrics/enough-requests/successCondition",
        "len(result) > 0 && result[0] >= 0",
        of=STORES,
    ),
)
MUTANTS = (*PLACES, *NUMBERS, *SERIES)
