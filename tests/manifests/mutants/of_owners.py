"""Mutants of whose a thing is: a secret's, a right's, a volume's, a namespace's, and of what an application may say."""

from __future__ import annotations

from typing import Any

from tests.manifests.mutants.mutant import REMOVED, Added, Mutant

POD = "spec/template/spec"
ISVC = "InferenceService slipway"
RETRAIN = "CronJob retrain"
RETRAIN_POD = "spec/jobTemplate/spec/template/spec"
ROLE = "Role dev-secret"
BINDING = "RoleBinding dev-secret"
CLAIM = "PersistentVolumeClaim retrain-raw-data"
SECRETS = "ExternalSecret slipway-secrets"
TEMPLATE = "spec/target/template/data"
NAMESPACE = "Namespace slipway-production"
STORES = "company-of-stores"
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
        "redis-secret",
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
    _argo("application-paths", "Application slipway", "spec/source/path", "argocd"),
    _argo(
        "application-paths", PROJECT, "spec/destinationServiceAccounts", [{"server": "*", "namespace": "*"}]
    ),
    _argo("applications-compare", APP, "spec/revisionHistoryLimit", 0),
    _argo("applications-compare", APP, "metadata/annotations/argocd.argoproj.io~1compare-options"),
    _argo("quiet-weekends", PROJECT, f"{WINDOW}/duration", "1h"),
    _argo("quiet-weekends", PROJECT, f"{WINDOW}/schedule", "0 16 * * 1"),
    _argo("quiet-weekends", PROJECT, f"{WINDOW}/timeZone", "Etc/UTX"),
    _argo("quiet-weekends", PROJECT, f"{WINDOW}/applications", ["slipway-production"]),
)
MUTANTS = (*OWNERS, *DELIVERY)
