"""Rules about the namespace: everything is in it, and it is closed to whoever is not listed."""

from __future__ import annotations

from collections.abc import Iterator

from tests.manifests.policy.model import Finding, Rendered, Rule, found, labels_of, rule
from tests.manifests.schema_check import minors

CLUSTER_KINDS = {"Namespace", "ClusterServingRuntime"}
# A label of a namespace may open doors: whose it is, what it enforces, and the gate that the cloud's controller looks for.
NAMESPACE_LABELS = (
    "app.kubernetes.io/",
    "pod-security.kubernetes.io/",
    "elbv2.k8s.aws/pod-readiness-gate-inject",
)


@rule("one-namespace", "an object that lands elsewhere is found by nobody, and deleted by nobody")
def one_namespace(rendered: Rendered) -> Iterator[Finding]:
    names = [manifest.identity.name for manifest in rendered.of("Namespace")]
    if names != [f"slipway-{rendered.overlay}"] and not (
        rendered.overlay == "aws" and names == ["slipway-production"]
    ):
        yield Finding(f"its namespaces are {names}", rendered.overlay)
    for manifest in rendered.manifests:
        if manifest.identity.kind not in CLUSTER_KINDS and [manifest.identity.namespace] != names:
            yield found(manifest, f"is in the namespace {manifest.identity.namespace!r}")


@rule(
    "guarded-namespace",
    "the standard is enforced by the namespace, and by a version that does not move under us",
)
def guarded_namespace(rendered: Rendered) -> Iterator[Finding]:
    for namespace in rendered.of("Namespace"):
        labels = labels_of(namespace)
        for mode in ("enforce", "audit", "warn"):
            if labels.get(f"pod-security.kubernetes.io/{mode}") != "restricted":
                yield found(namespace, f"does not {mode} the restricted standard")
            if (
                version := labels.get(f"pod-security.kubernetes.io/{mode}-version", "")
            ) not in known_standards():
                yield found(
                    namespace, f"{mode}s the version {version!r}: is it one of {sorted(known_standards())}"
                )
        yield from (
            found(namespace, f"has the label {label}")
            for label in labels
            if not label.startswith(NAMESPACE_LABELS)
        )
        if namespace.body["metadata"].get("finalizers"):
            yield found(namespace, "is not gone when it is deleted")


def known_standards() -> set[str]:
    """Versions of Pod Security that our own checker stands for: the minors that schemas are checked by."""
    return {minor.rpartition(".")[0] for minor in minors()}


RULES: tuple[Rule, ...] = (one_namespace, guarded_namespace)
