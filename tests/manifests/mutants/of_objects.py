"""Mutants of what stands around the pods: Services, policies, autoscalers, monitors, settings, secrets."""

from __future__ import annotations

from typing import Any

from tests.manifests.mutants.mutant import Added, Mutant, renamed

D = "Deployment slipway"
POD = "spec/template/spec"
MAIN = f"{POD}/containers/slipway"
AGENT = f"{POD}/initContainers/agent"
POLICY = "NetworkPolicy slipway"
SETTINGS = "ConfigMap slipway-settings"
KEDA = "ScaledObject slipway"
GUARD = "metadata/labels/pod-security.kubernetes.io~1"
HPA = "HorizontalPodAutoscaler slipway"
PROMETHEUS = "spec/triggers/concurrency/metadata"
RULES = "PrometheusRule slipway"


def _other_metric(groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
    first = {**groups[0]["rules"][0], "expr": "rate(slipway_predictions_answered_total[5m]) > 0"}
    return [{**groups[0], "rules": [first]}, *groups[1:]]


def _no_runbook(groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
    alert = next(item for group in groups for item in group["rules"] if "alert" in item)
    gone = {
        **alert,
        "annotations": {**alert["annotations"], "runbook_url": "https://example.com/docs/runbooks/nobody.md"},
    }
    return [*groups, {"name": "more", "rules": [gone]}]


def _mute(groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [*groups, {"name": "more", "rules": [{"alert": "Something", "expr": "up == 0"}]}]


def _second_scaler(manifest: Any) -> Any:
    second = renamed("HorizontalPodAutoscaler", "second")(manifest)
    second.body["spec"] = {
        "scaleTargetRef": {"kind": "Deployment", "name": "slipway"},
        "minReplicas": 2,
        "maxReplicas": 4,
    }
    return second


NETWORK = (
    Mutant("default-deny", "NetworkPolicy default-deny", "spec/policyTypes", ["Ingress"]),
    Mutant(
        "default-deny", "NetworkPolicy default-deny", "spec/podSelector", {"matchLabels": {"app": "slipway"}}
    ),
    Mutant("default-deny", "NetworkPolicy default-deny", ""),
    Mutant("flows", POLICY, "spec/ingress/0/from/0", {"namespaceSelector": {}}),
    Mutant("flows", POLICY, "spec/ingress/0/from"),
    Mutant("flows", POLICY, "spec/ingress/1/ports/0/port", 8000),
    Mutant("flows", POLICY, "spec/ingress/1/from/0/podSelector"),
    Mutant("flows", POLICY, "spec/ingress/0/ports"),
    Mutant("flows", POLICY, "spec/egress", Added({})),
    Mutant("flows", POLICY, "spec/egress/0/ports/0/port", 6380, of="dev"),
    Mutant("flows", "NetworkPolicy dns", "spec/egress/0/ports/1"),
    Mutant("flows", "NetworkPolicy dns", "spec/egress/0/to/0/podSelector"),
    Mutant("flows", "NetworkPolicy dns", ""),
    Mutant("flows", "NetworkPolicy postgres", "spec/ingress/0/from", [{"podSelector": {}}], of="dev"),
    Mutant("flows", "NetworkPolicy redis", "spec/ingress", [], of="dev"),
    Mutant("flows", "NetworkPolicy slipway-stores", "spec/egress/0/to/0/ipBlock/cidr", "0.0.0.0/0"),
    Mutant(
        "flows",
        "NetworkPolicy retrain",
        "spec/egress/3/to/0/ipBlock",
        {"cidr": "0.0.0.0/0"},
        of="company-of-stores",
    ),
    Mutant(
        "policies-select",
        "NetworkPolicy migrations",
        "spec/podSelector/matchLabels/app.kubernetes.io~1component",
        "migration",
    ),
)
WIRING = (
    Mutant("one-namespace", "Service slipway", "metadata/namespace", "default"),
    Mutant("one-namespace", "Namespace slipway-production", "metadata/name", "slipway"),
    Mutant(
        "guarded-namespace",
        "Namespace slipway-production",
        f"{GUARD}enforce",
        "baseline",
    ),
    Mutant(
        "guarded-namespace",
        "Namespace slipway-production",
        f"{GUARD}warn-version",
        "latest",
    ),
    Mutant("labels", "Service slipway", "metadata/labels/app.kubernetes.io~1part-of"),
    Mutant("labels", "Job migrations", "spec/template/metadata/labels/app.kubernetes.io~1component"),
    Mutant("selectors", D, "spec/selector/matchLabels", {"app.kubernetes.io/name": "slipway"}),
    Mutant("selectors", D, "spec/template/metadata/labels/app.kubernetes.io~1component", "server"),
    Mutant(
        "selectors",
        "Deployment redis",
        "spec/template/metadata/labels/app.kubernetes.io~1component",
        "service",
        of="dev",
    ),
    Mutant("services", "Service slipway", "spec/selector/app.kubernetes.io~1component", "server"),
    Mutant("services", "Service slipway", "spec/ports/http/targetPort", "api"),
    Mutant("services", "Service slipway", "spec/ports/metrics/targetPort", 9100),
    Mutant("services", "Service slipway", "spec/type", "LoadBalancer"),
    Mutant("ports-apart", D, f"{MAIN}/ports/metrics/containerPort", 8000),
    Mutant("ports-apart", SETTINGS, "data/METRICS_PORT", "9200"),
    Mutant("scaled-targets", KEDA, "spec/scaleTargetRef/name", "slipway-service"),
    Mutant("scaled-targets", HPA, "spec/metrics/0/containerResource/container", "server", of="staging"),
    Mutant("budgets", "PodDisruptionBudget slipway", "spec/maxUnavailable", 0),
    Mutant("budgets", "PodDisruptionBudget slipway", "spec/minAvailable", 3),
    Mutant("budgets", "PodDisruptionBudget slipway", "spec/unhealthyPodEvictionPolicy"),
    Mutant("budgets", "PodDisruptionBudget slipway", ""),
    Mutant("monitors", "ServiceMonitor slipway", "spec/endpoints/0/port", "prometheus"),
    Mutant(
        "monitors",
        "ServiceMonitor slipway",
        "spec/selector/matchLabels/app.kubernetes.io~1component",
        "server",
    ),
    Mutant("monitors", "ServiceMonitor slipway", "spec/endpoints/1"),
    Mutant("monitors", "PodMonitor slipway", "spec/podMetricsEndpoints/0/port", "http", of="kserve"),
    Mutant("monitor-limits", "ServiceMonitor slipway", "spec/sampleLimit"),
    Mutant("monitor-limits", "ServiceMonitor slipway", "spec/labelValueLengthLimit", 0),
    Mutant("monitor-limits", "ServiceMonitor slipway", "metadata/labels/release"),
    Mutant("monitor-limits", RULES, "metadata/labels/release", "prometheus"),
    Mutant("routes", "Ingress slipway", "spec/tls"),
    Mutant("routes", "Ingress slipway", "spec/rules/0/http/paths/0/backend/service/port/name", "metrics"),
    Mutant("routes", "Ingress slipway", "spec/ingressClassName"),
    Mutant(
        "gateway-routes", "HTTPRoute slipway", "spec/rules/0/backendRefs/0/port", 9100, of="company-outside"
    ),
    Mutant("mounts", D, f"{MAIN}/volumeMounts", Added({"name": "models", "mountPath": "/models"})),
    Mutant("mounts", D, f"{POD}/volumes", Added({"name": "models", "emptyDir": {"sizeLimit": "1Mi"}})),
    Mutant("no-warnings", D, f"{MAIN}/env", [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]),
    Mutant("no-warnings", "Ingress slipway", "metadata/annotations/kubernetes.io~1ingress.class", "nginx"),
)
CONFIGURATION = (
    Mutant("settings-known", SETTINGS, "data/SPOOL_LIMIT", "5"),
    Mutant(
        "settings-known",
        "Job migrations",
        f"{POD}/containers/migrations/env",
        [{"name": "DATABASE", "value": "x"}],
    ),
    Mutant("settings-valid", SETTINGS, "data/SPOOL_LIMIT_BYTES", "512Mi"),
    Mutant("settings-valid", SETTINGS, "data/MODEL_SOURCE", "pin"),
    Mutant("settings-valid", SETTINGS, "data/MLFLOW_TRACKING_URI", "ftp://mlflow"),
    Mutant("environment-named", SETTINGS, "data/SLIPWAY_ENV", "dev"),
    Mutant("environment-named", SETTINGS, "data/LOG_LEVEL", "DEBUG"),
    Mutant("hashed-configuration", SETTINGS, "metadata/name", "slipway-settings"),
    Mutant("hashed-configuration", D, f"{MAIN}/envFrom/0/configMapRef/name", "slipway-settings"),
    Mutant("secrets-are-made", "ExternalSecret slipway-secrets", ""),
    Mutant("secrets-are-made", "ExternalSecret slipway-secrets", "spec/target/template/data/redis-url"),
    Mutant("secrets-are-made", D, f"{POD}/volumes/secrets/secret/secretName", "slipway-secret"),
    Mutant("files-are-mounted", SETTINGS, "data/JWT_SECRET_KEY_FILE", "/etc/slipway/secret/jwt-secret-key"),
    Mutant("files-are-mounted", D, f"{AGENT}/volumeMounts/agent-secrets"),
    Mutant(
        "secrets-apart", D, f"{MAIN}/volumeMounts", Added({"name": "registry", "mountPath": "/tmp/.mlflow"})
    ),
    Mutant("secrets-apart", D, f"{AGENT}/volumeMounts/agent-secrets/name", "secrets"),
    Mutant(
        "pinned-versions", "ConfigMap slipway-models", "data/models.env", "iris: 3\n", of="company-outside"
    ),
)
TELEMETRY = (
    Mutant(
        "metrics-exist",
        KEDA,
        f"{PROMETHEUS}/query",
        'sum(rate(slipway_requests_sum{namespace="slipway-production"}[1m]))',
    ),
    Mutant("metrics-exist", RULES, "spec/groups", _other_metric),
    Mutant(
        "queries-are-ours",
        KEDA,
        f"{PROMETHEUS}/query",
        "sum(rate(slipway_http_request_duration_seconds_sum[1m]))",
    ),
    Mutant("alerts-explain", RULES, "spec/groups", _no_runbook),
    Mutant("alerts-explain", RULES, "spec/groups", _mute),
    Mutant("autoscaler-has-room", KEDA, "spec/minReplicaCount", 1),
    Mutant("autoscaler-has-room", KEDA, "spec/maxReplicaCount", 3),
    Mutant("autoscaler-has-room", HPA, "spec/minReplicas", 1, of="staging"),
    Mutant("autoscaler-has-room", "InferenceService slipway", "spec/predictor/maxReplicas", of="kserve"),
    Mutant("one-autoscaler", "ServiceAccount smoke-test", "", _second_scaler),
    Mutant("no-replicas", D, "spec/replicas", 3),
    Mutant("no-replicas", "Rollout slipway", "spec/replicas", 3, of="company-of-stores"),
    Mutant("scaling-manners", HPA, "spec/behavior", of="staging"),
    Mutant("scaling-manners", HPA, "spec/behavior/scaleDown/stabilizationWindowSeconds", 0, of="staging"),
    Mutant("scaling-manners", KEDA, "spec/advanced"),
    Mutant("scaling-signal", HPA, "spec/metrics/0/type", "Resource", of="staging"),
    Mutant("concurrency-signal", KEDA, "spec/fallback"),
    Mutant("concurrency-signal", KEDA, f"{PROMETHEUS}/ignoreNullValues", "true"),
    Mutant(
        "concurrency-signal",
        KEDA,
        f"{PROMETHEUS}/query",
        'slipway_http_requests_in_flight{namespace="slipway-production"}',
    ),
)


ADMISSION = (
    Mutant("port-names-admissible", D, f"{MAIN}/ports/metrics/name", "prometheus-metrics"),
    Mutant("names-admissible", "Service slipway", "metadata/labels/version", "a/b"),
    Mutant("names-admissible", "Service slipway", "metadata/name", "slipway.service"),
    Mutant("schedules-admissible", "CronJob retrain", "spec/schedule", "daily", of="company-of-stores"),
    Mutant("keys-once", D, f"{MAIN}/volumeMounts", Added({"name": "run", "mountPath": "/tmp"})),
    Mutant("keys-once", D, f"{POD}/volumes", Added({"name": "tmp", "emptyDir": {"sizeLimit": "1Mi"}})),
    Mutant("keys-once", D, f"{AGENT}/name", "slipway"),
    Mutant("keys-once", "Service slipway", "spec/ports/metrics/port", 8000),
    Mutant("init-containers-end", D, f"{AGENT}/restartPolicy"),
    Mutant("volumes-exist", D, f"{MAIN}/volumeMounts/secrets/subPath", "jwt-secret-key"),
    Mutant("volumes-exist", D, f"{MAIN}/volumeMounts/tmp/mountPath", "tmp"),
    Mutant("addresses", "NetworkPolicy slipway-stores", "spec/egress/0/to/0/ipBlock/cidr", "10.10.0.5/16"),
    Mutant(
        "addresses", "NetworkPolicy slipway-stores", "spec/egress/0/to/0/ipBlock/except", ["10.20.0.0/24"]
    ),
    Mutant("addresses", "NetworkPolicy slipway-stores", "spec/egress/0/to/0/podSelector", {}),
)
MUTANTS = (*ADMISSION, *NETWORK, *WIRING, *CONFIGURATION, *TELEMETRY)
