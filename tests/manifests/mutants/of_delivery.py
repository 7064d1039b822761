"""Mutants of order and permission: waves, hooks, projects, applications; and of what KServe and Rollouts run."""

from __future__ import annotations

from typing import Any

from tests.manifests.mutants.mutant import REMOVED, Added, Mutant

ARGO = "metadata/annotations/argocd.argoproj.io~1"
APP = "Application slipway-production"
PROJECT = "AppProject slipway"
ISVC = "InferenceService slipway"
STORES = "company-of-stores"
SERVABLE = "ClusterServingRuntime slipway-servable"
RUNTIME = "kserve-runtime"


def _argo(rule: str, target: str, path: str, value: Any = REMOVED) -> Mutant:
    return Mutant(rule, target, path, value, of="argocd")


def _without(option: str) -> Any:
    return lambda options: [each for each in options if not each.startswith(option)]


ORDER = (
    Mutant("waves", "ExternalSecret slipway-secrets", f"{ARGO}sync-wave"),
    Mutant("waves", "ScaledObject slipway", f"{ARGO}sync-wave", "0"),
    Mutant("waves", "StatefulSet postgres", f"{ARGO}sync-wave", "0", of="dev"),
    Mutant("waves", "Job migrations", f"{ARGO}sync-wave", "-3"),
    Mutant("claims-wait", "PersistentVolumeClaim retrain-raw-data", f"{ARGO}hook", of="company-of-stores"),
    Mutant("hooks", "Job migrations", f"{ARGO}hook", "PreSync"),
    Mutant("hooks", "Job smoke-test", f"{ARGO}hook", "Sync"),
    Mutant("hooks", "Job smoke-test", f"{ARGO}hook-delete-policy", "HookSucceeded"),
    Mutant("migrations-first", "Job migrations", ""),
    Mutant("missing-kinds", "ServiceMonitor slipway", f"{ARGO}sync-options"),
    Mutant("missing-kinds", "PrometheusRule slipway", f"{ARGO}sync-options", "Prune=false"),
    Mutant("namespace-kept", "Namespace slipway-production", f"{ARGO}sync-options", "Prune=confirm"),
)
DELIVERY = (
    _argo("applications-complete", APP, ""),
    _argo("applications-complete", APP, "spec/source/path", "kustomize/overlays/staging"),
    _argo("applications-complete", APP, "spec/project", "default"),
    _argo("project-allows", PROJECT, "spec/namespaceResourceWhitelist/ScaledObject"),
    _argo("project-allows", PROJECT, "spec/destinations/1"),
    _argo("project-allows", PROJECT, "spec/sourceRepos", ["https://github.com/example/other.git"]),
    _argo(
        "project-exact",
        PROJECT,
        "spec/namespaceResourceWhitelist",
        Added({"group": "apps", "kind": "DaemonSet"}),
    ),
    _argo("project-narrow", PROJECT, "spec/sourceRepos", ["*"]),
    _argo("project-narrow", PROJECT, "spec/destinations/0/namespace", "*"),
    _argo("project-narrow", PROJECT, "spec/namespaceResourceWhitelist", Added({"group": "*", "kind": "*"})),
    _argo(
        "project-narrow", PROJECT, "spec/namespaceResourceWhitelist", Added({"group": "", "kind": "Secret"})
    ),
    _argo(
        "project-narrow",
        PROJECT,
        "spec/namespaceResourceWhitelist",
        Added({"group": "rbac.authorization.k8s.io", "kind": "RoleBinding"}),
    ),
    _argo(
        "project-narrow",
        PROJECT,
        "spec/clusterResourceWhitelist",
        Added({"group": "", "kind": "PersistentVolume"}),
    ),
    _argo("project-narrow", PROJECT, "spec/clusterResourceWhitelist", [{"group": "", "kind": "Namespace"}]),
    _argo("project-allows", PROJECT, "spec/clusterResourceWhitelist/1"),
    _argo("project-watched", PROJECT, "spec/orphanedResources"),
    _argo("project-watched", PROJECT, "spec/syncWindows"),
    _argo(
        "project-watched",
        PROJECT,
        "spec/roles/0/policies",
        ["p, proj:slipway:sync-only, applications, *, slipway/*, allow"],
    ),
    _argo("applications-heal", APP, "spec/syncPolicy/automated/prune"),
    _argo("applications-heal", APP, "spec/syncPolicy/automated/selfHeal", False),
    _argo("applications-heal", APP, "spec/syncPolicy/automated/allowEmpty", True),
    _argo("applications-heal", APP, "spec/syncPolicy/retry"),
    _argo("applications-heal", APP, "spec/syncPolicy/retry/refresh"),
    _argo("sync-options", APP, "spec/syncPolicy/syncOptions", _without("RespectIgnoreDifferences")),
    _argo("sync-options", APP, "spec/syncPolicy/syncOptions", _without("ServerSideApply")),
    _argo("sync-options", APP, "spec/syncPolicy/syncOptions", Added("CreateNamespace=true")),
    _argo("ignored-replicas", APP, "spec/ignoreDifferences"),
    _argo("ignored-replicas", APP, "spec/ignoreDifferences/0/group"),
    _argo("ignored-replicas", APP, "spec/ignoreDifferences/0/jsonPointers", ["/spec/template"]),
    _argo("application-names", APP, "spec/destination/namespace", "slipway-staging"),
    _argo("application-names", APP, "metadata/name", "slipway"),
)
RELEASES = (
    Mutant(
        "kserve-mode",
        ISVC,
        "metadata/annotations/serving.kserve.io~1deploymentMode",
        "RawDeployment",
        of="kserve",
    ),
    Mutant("kserve-container", ISVC, "spec/predictor/containers/0/name", "slipway", of="kserve"),
    Mutant("kserve-container", ISVC, "spec/predictor/containers/0/ports/0/containerPort", 9100, of="kserve"),
    Mutant("kserve-container", ISVC, "spec/predictor/containers/0/readinessProbe", of="kserve"),
    Mutant("kserve-scale", ISVC, "spec/predictor/scaleTarget", of="kserve"),
    Mutant("kserve-scale", ISVC, "spec/predictor/canaryTrafficPercent", 10, of="kserve"),
    Mutant(
        "serving-runtime",
        "ClusterServingRuntime slipway-servable",
        "spec/containers/0/env/MODEL_PATH/value",
        "/models",
        of=RUNTIME,
    ),
    Mutant("rollout-borrows", "Rollout slipway", "spec/workloadRef/name", "slipway-service", of=STORES),
    Mutant("rollout-borrows", "Rollout slipway", "spec/workloadRef/scaleDown", "progressively", of=STORES),
    Mutant("rollout-borrows", "Deployment slipway", "spec/replicas", of=STORES),
    Mutant(
        "rollout-borrows",
        "HorizontalPodAutoscaler slipway",
        "spec/scaleTargetRef/kind",
        "Deployment",
        of=STORES,
    ),
    Mutant("analyses-exist", "AnalysisTemplate slipway-canary", "metadata/name", "canary", of=STORES),
    Mutant("analyses-exist", "Rollout slipway", "spec/strategy/canary/steps", [{"setWeight": 50}], of=STORES),
    Mutant(
        "silence-is-no-verdict",
        "AnalysisTemplate slipway-canary",
        "spec/metrics/answered/successCondition",
        "result[0] >= 0.99",
        of=STORES,
    ),
    Mutant(
        "silence-is-no-verdict",
        "AnalysisTemplate slipway-canary",
        "spec/metrics/quick/inconclusiveLimit",
        of=STORES,
    ),
    Mutant(
        "canary-alone",
        "AnalysisTemplate slipway-canary",
        "spec/metrics/answered/provider/prometheus/query",
        'sum(rate(slipway_http_requests_total{namespace="x"}[2m]))',
        of=STORES,
    ),
    Mutant("canary-alone", "ServiceMonitor slipway", "spec/podTargetLabels", of=STORES),
)
MUTANTS = (*ORDER, *DELIVERY, *RELEASES)
