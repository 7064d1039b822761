"""Rules about the order in which Argo CD makes things, and about what it may not lose."""

from __future__ import annotations

from collections.abc import Iterator

from deploy.manifests.objects import Manifest
from tests.manifests.policy.model import Finding, Rendered, Rule, annotation, found, labels_of, rule

ARGO = "argocd.argoproj.io"
STORES = {"redis", "postgres", "mlflow", "object-store"}
FIRST = {
    *("Namespace", "ServiceAccount", "Role", "RoleBinding", "ConfigMap", "NetworkPolicy", "ExternalSecret"),
    *("SecretStore", "AnalysisTemplate"),
}
LAST = {
    *("HorizontalPodAutoscaler", "ScaledObject", "TriggerAuthentication", "ServiceMonitor", "PodMonitor"),
    *("PrometheusRule", "CronJob"),
}
# Kinds whose CRDs a cluster may lack without the service being any worse for it.
OPTIONAL = {
    "ServiceMonitor",
    "PodMonitor",
    "PrometheusRule",
    "InferenceService",
    "Rollout",
    "AnalysisTemplate",
}


def wave(manifest: Manifest) -> int:
    return int(annotation(manifest, f"{ARGO}/sync-wave") or 0)


def meant_wave(manifest: Manifest) -> int:
    """-3 accounts, configuration, secrets, policies; -2 stores; -1 migrations; 0 the service; 1 autoscalers and monitors."""
    component = labels_of(manifest).get("app.kubernetes.io/component", "")
    if manifest.identity.kind in FIRST or component == "dev-secret":
        return -3
    if component in STORES:
        return -2
    if component == "migrations":
        return -1
    return 1 if manifest.identity.kind in LAST else 0


@rule("waves", "a pod that starts before its Secret, its store or its tables starts again and again")
def waves(rendered: Rendered) -> Iterator[Finding]:
    for manifest in rendered.manifests:
        if wave(manifest) != meant_wave(manifest):
            yield found(manifest, f"is in wave {wave(manifest)}, not {meant_wave(manifest)}")


@rule(
    "claims-wait",
    "a claim is pending until its first pod comes, and a sync waits for it: Argo CD leaves it out",
)
def claims_wait(rendered: Rendered) -> Iterator[Finding]:
    for claim in rendered.of("PersistentVolumeClaim"):
        if annotation(claim, f"{ARGO}/hook") != "Skip":
            yield found(claim, "is part of the sync, and of its health")


@rule("hooks", "a Job cannot be changed: Argo CD makes it anew at every sync, and only as a hook")
def hooks(rendered: Rendered) -> Iterator[Finding]:
    wanted = {"migrations": "Sync", "smoke-test": "PostSync", "dev-secret": "Sync"}
    for job in rendered.of("Job"):
        component = labels_of(job).get("app.kubernetes.io/component", "")
        if annotation(job, f"{ARGO}/hook") != wanted.get(
            component, annotation(job, f"{ARGO}/hook") or "Sync"
        ):
            yield found(
                job, f"is the hook {annotation(job, f'{ARGO}/hook')!r}, not {wanted.get(component)!r}"
            )
        if annotation(job, f"{ARGO}/hook-delete-policy") != "BeforeHookCreation":
            yield found(job, "stays, and the next sync cannot make it")


@rule(
    "migrations-first",
    "a service that is newer than its tables fails; without a check afterwards nobody knows",
)
def migrations_first(rendered: Rendered) -> Iterator[Finding]:
    if rendered.service_pods and not rendered.dev:
        if not any(
            labels_of(job).get("app.kubernetes.io/component") == "migrations" for job in rendered.of("Job")
        ):
            yield Finding("brings no schema up to date", rendered.overlay)


@rule("missing-kinds", "one CRD that is not there yet must not keep everything else from being synced")
def missing_kinds(rendered: Rendered) -> Iterator[Finding]:
    for manifest in rendered.of(*OPTIONAL):
        if "SkipDryRunOnMissingResource=true" not in annotation(manifest, f"{ARGO}/sync-options"):
            yield found(manifest, "fails the dry run where its CRD is missing")


@rule("namespace-kept", "deleting the namespace deletes the stores in it: a person is asked first")
def namespace_kept(rendered: Rendered) -> Iterator[Finding]:
    for namespace in rendered.of("Namespace"):
        options = annotation(namespace, f"{ARGO}/sync-options").split(",")
        for option in ("Prune=confirm", "Delete=confirm"):
            if option not in options:
                yield found(namespace, f"lacks {option}")


RULES: tuple[Rule, ...] = (waves, claims_wait, hooks, migrations_first, missing_kinds, namespace_kept)
