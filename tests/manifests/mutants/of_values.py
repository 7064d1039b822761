"""Mutants that every schema takes: a name, a number or a switch that nobody can have meant."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.manifests.mutants.mutant import REMOVED, Added, Mutant

D, POD = "Deployment slipway", "spec/template/spec"
MAIN, AGENT = f"{POD}/containers/slipway", f"{POD}/initContainers/agent"
SETTINGS, SERVICE = "ConfigMap slipway-settings", "Service slipway"
MONITOR, PODS = "ServiceMonitor slipway", "PodMonitor slipway"
KEDA, PROMETHEUS = "ScaledObject slipway", "spec/triggers/concurrency/metadata"
HPA, PERCENT = "HorizontalPodAutoscaler slipway", "spec/metrics/0/containerResource/target/averageUtilization"
ISVC, RETRAIN, BATCH = "InferenceService slipway", "CronJob retrain", "CronJob batch"
RETRAIN_POD = "spec/jobTemplate/spec/template/spec"
SMOKE, TOLD = "Job smoke-test", f"{POD}/containers/smoke-test/args"
ROLE, BINDING = "Role dev-secret", "RoleBinding dev-secret"
CLAIM = "PersistentVolumeClaim retrain-raw-data"
SECRETS, TEMPLATE = "ExternalSecret slipway-secrets", "spec/target/template/data"
NAMESPACE = "Namespace slipway-production"
STORES, OUTSIDE = "company-of-stores", "company-outside"
CANARY, STEPS = "Rollout slipway", "spec/strategy/canary/steps"
ANALYSIS, QUERY = "AnalysisTemplate slipway-canary", "provider/prometheus/query"


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
    Mutant("trigger-numbers", KEDA, f"{PROMETHEUS}/treshold", "8"),
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
OWNERS = (
    Mutant("external-keys", SECRETS, f"{TEMPLATE}/database-url", '{{ index . "redis-url" }}'),
    Mutant("external-keys", "ExternalSecret slipway-registry", TEMPLATE, {"creds": "x"}),
    Mutant("external-entry", SECRETS, "spec/dataFrom/0/extract/key", "slipway/staging"),
    Mutant("external-entry", SECRETS, "spec/dataFrom/0/extract/key", "slipway/staging", of="aws"),
    Mutant("external-entry", SECRETS, "spec/target/deletionPolicy", "Delete"),
    Mutant("external-entry", SECRETS, "spec/refreshInterval", "0"),
    Mutant("external-store", SECRETS, "spec/secretStoreRef/kind", "SecretStore"),
    Mutant(
        "external-store",
        "SecretStore slipway",
        "spec/provider/aws/auth/jwt/serviceAccountRef/name",
        "nobody",
        of="aws",
    ),
    Mutant(
        "secret-keys",
        "Job migrations",
        f"{POD}/volumes/secrets/secret/items",
        [{"key": "jwt-secret-key", "path": "database-url"}],
    ),
    Mutant(
        "secret-keys",
        "Deployment redis",
        f"{POD}/volumes/stores/secret/items/0/key",
        "redis-pasword",
        of="dev",
    ),
    Mutant("bindings", BINDING, "roleRef", {"kind": "ClusterRole", "name": "admin"}, of="dev"),
    Mutant("bindings", BINDING, "roleRef/name", "admin", of="dev"),
    Mutant("bindings", BINDING, "subjects/0/namespace", "default", of="dev"),
    Mutant("bindings", ROLE, "rules", [], of="dev"),
    Mutant(
        "least-roles",
        ROLE,
        "rules",
        Added({"apiGroups": [""], "resources": ["pods/exec"], "verbs": ["create"]}),
        of="dev",
    ),
    Mutant("no-token", "Job dev-secret", f"{POD}/automountServiceAccountToken", False, of="dev"),
    Mutant(
        "data-on-a-volume",
        "StatefulSet postgres",
        f"{POD}/containers/postgres/volumeMounts/data/mountPath",
        "/var/lib/postgres",
        of="dev",
    ),
    Mutant(
        "data-on-a-volume",
        "StatefulSet mlflow",
        f"{POD}/containers/mlflow/volumeMounts/data/mountPath",
        "/var/lib/mlfow",
        of="dev",
    ),
    Mutant(
        "stores-stay",
        "StatefulSet postgres",
        "spec/persistentVolumeClaimRetentionPolicy/whenDeleted",
        "Delete",
        of="dev",
    ),
    Mutant("stores-stay", "StatefulSet postgres", "spec/serviceName", "postgresql", of="dev"),
    Mutant("one-writer", "StatefulSet mlflow", "spec/replicas", 2, of="dev"),
    Mutant("one-writer", "Deployment redis", "spec/replicas", 3, of="dev"),
    Mutant("claims-exist", CLAIM, "metadata/name", "raw-data", of=STORES),
    Mutant(
        "claims-exist",
        RETRAIN,
        f"{RETRAIN_POD}/volumes/raw-data/persistentVolumeClaim/claimName",
        "raw",
        of=STORES,
    ),
    Mutant("schedules-admissible", RETRAIN, "spec/schedule", "99 2 * * 0", of=STORES),
    Mutant("schedules-admissible", RETRAIN, "spec/timeZone", "Europe/Atlantis", of=STORES),
    Mutant(
        "failure-policies",
        RETRAIN,
        "spec/jobTemplate/spec/podFailurePolicy/rules/0/onExitCodes/containerName",
        "retrian",
        of=STORES,
    ),
    Mutant("failure-policies", RETRAIN, f"{RETRAIN_POD}/restartPolicy", "OnFailure", of=STORES),
    Mutant("kserve-mode", ISVC, "metadata/annotations/serving.kserve.io~1stop", "true", of="kserve"),
    Mutant(
        "kserve-mode", ISVC, "metadata/annotations/serving.kserve.io~1autoscalerClass", "none", of="kserve"
    ),
    Mutant("guarded-namespace", NAMESPACE, "metadata/labels/slipway-client", "true"),
    Mutant("flows", NAMESPACE, "metadata/labels/slipway-client", "true"),
    Mutant(
        "guarded-namespace", NAMESPACE, "metadata/labels/pod-security.kubernetes.io~1enforce-version", "v1.20"
    ),
    Mutant(
        "guarded-namespace", NAMESPACE, "metadata/labels/pod-security.kubernetes.io~1enforce-version", "v1.99"
    ),
    Mutant(
        "known-peers",
        "NetworkPolicy slipway",
        "spec/ingress/0/from",
        Added({"namespaceSelector": {"matchLabels": {"team": "x"}}}),
    ),
)
APP, PROJECT = "Application slipway-production", "AppProject slipway"
WINDOW = "spec/syncWindows/0"


def _argo(rule: str, target: str, path: str, value: Any = REMOVED) -> Mutant:
    return Mutant(rule, target, path, value, of="argocd")


TEMPLATES = {"group": "apps", "kind": "Deployment", "jsonPointers": ["/spec/template"]}
DELIVERY = (
    _argo("application-options", APP, "spec/syncPolicy/syncOptions", Added("Replace=true")),
    _argo("application-options", APP, "spec/syncPolicy/syncOptions", Added("Validate=false")),
    _argo("ignored-fields", APP, "spec/ignoreDifferences", Added(TEMPLATES)),
    _argo("merged-only", APP, "spec/source/targetRevision", "feature"),
    _argo("merged-only", "Application slipway", "spec/source/targetRevision", "HEAD~1"),
    _argo("applications-at-home", APP, "metadata/namespace", "default"),
    _argo("applications-at-home", APP, "metadata/finalizers", ["resources-finalizer.argocd.argoproj.io"]),
    _argo("applications-at-home", PROJECT, "spec/sourceNamespaces", ["*"]),
    _argo("applications-at-home", PROJECT, "spec/roles/0/groups", ["everybody"]),
    _argo("quiet-weekends", PROJECT, f"{WINDOW}/duration", "1h"),
    _argo("quiet-weekends", PROJECT, f"{WINDOW}/schedule", "0 16 * * 1"),
    _argo("quiet-weekends", PROJECT, f"{WINDOW}/timeZone", "Etc/UTX"),
    _argo("quiet-weekends", PROJECT, f"{WINDOW}/applications", ["slipway-production"]),
)
MUTANTS = (*PLACES, *NUMBERS, *SERIES, *OWNERS, *DELIVERY)
