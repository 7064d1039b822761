"""Every rule that an overlay is held to, those that Argo CD's applications are, and what the rules are shown."""

from __future__ import annotations

from functools import cache

from tests.manifests.policy import (
    admission,
    bounds,
    canaries,
    commands,
    configuration,
    delivery,
    delivery_limits,
    destinations,
    doors,
    gitops,
    hardening,
    identity,
    namespaces,
    network,
    queries,
    releases,
    rights,
    running,
    scraping,
    secrets,
    storage,
    stores,
    telemetry,
    wiring,
)
from tests.manifests.policy.model import Rendered, Rule
from tests.manifests.rendering import on_base_objects, overlay, overlays, rendered_folder

CHAPTERS = (
    admission,
    hardening,
    running,
    storage,
    network,
    wiring,
    configuration,
    telemetry,
    gitops,
    releases,
    *(
        commands,
        destinations,
        doors,
        secrets,
        rights,
        namespaces,
        bounds,
        stores,
        scraping,
        queries,
        canaries,
        identity,
    ),
)
RULES: dict[str, Rule] = {rule.name: rule for chapter in CHAPTERS for rule in chapter.RULES}
DELIVERY: dict[str, Rule] = {rule.name: rule for rule in (*delivery.RULES, *delivery_limits.RULES)}
# Components that no overlay lists meet all rules too: on a development base, in company.
COMPANIES = {
    "company-of-stores": (
        *(
            "network-policy",
            "dev-secret",
            "redis",
            "postgres",
            "mlflow",
            "object-store",
            "migrations",
            "smoke-test",
        ),
        *("model-store-init", "monitoring", "autoscaling-hpa", "rollouts", "ingress", "retrain", "batch-ray"),
        *("identity", "cluster-identity"),
    ),
    "company-outside": (
        *(
            "network-policy",
            "external-secrets",
            "migrations",
            "monitoring",
            "autoscaling-keda",
            "model-store-init",
        ),
        *("pinned", "signed-models", "spool-volume", "gateway", "mlflow", "grpc", "tracing", "handoff"),
    ),
    "company-of-ray": ("network-policy", "dev-secret", "mlflow", "batch-ray", "batch-ray/ray"),
}
# A runtime is half a pod: KServe adds the rest, and whoever uses it the namespace, its policies and its Secrets.
RUNTIME = "kserve-runtime"
OF_A_RUNTIME = {
    *(
        "restricted-pod",
        "numeric-user",
        "read-only-root",
        "image-pinned",
        "image-pull",
    ),
    *(
        "drain-file",
        "service-probes",
        "probe-ports",
        "resources",
        "no-throttling",
        "bounded-scratch",
        "hidden-places",
    ),
    *(
        "settings-known",
        "settings-valid",
        "mounts",
        "no-warnings",
        "kserve-container",
        "serving-runtime",
        "no-secret-in-git",
    ),
}
# What two components that patch the same pod can break between them.
OF_A_PAIR = (
    "keys-once",
    "mounts",
    "restricted-pod",
    "init-containers-end",
    "volumes-exist",
    "selectors",
    "labels",
)


def shown() -> tuple[str, ...]:
    """Names of everything that the rules are shown."""
    return (*overlays(), *COMPANIES)


@cache
def rendered(name: str) -> Rendered:
    if name == "argocd":
        return delivery.applications()
    if name in COMPANIES:
        return Rendered("dev", on_base_objects(*COMPANIES[name]))
    if name == RUNTIME:
        return Rendered(RUNTIME, rendered_folder("kustomize/overlays/kserve/runtime"))
    return Rendered(name, overlay(name))
