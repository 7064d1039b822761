"""Rules about what an account may ask of the API server: in development alone, and there next to nothing."""

from __future__ import annotations

from collections.abc import Iterator

from tests.manifests.policy.model import Finding, Rendered, Rule, found, rule

POWERS = {"secrets", "create", "get"}  # all that a Job which makes development's secrets needs


@rule("least-roles", "only development may make roles, and those name their verbs and kinds")
def least_roles(rendered: Rendered) -> Iterator[Finding]:
    for manifest in rendered.of("Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"):
        if not rendered.dev:
            yield found(manifest, "grants rights outside dev")
        if manifest.identity.kind.startswith("Cluster"):
            yield found(manifest, "grants rights in the whole cluster")
        for granted in manifest.body.get("rules", ()):
            if "*" in (*granted["verbs"], *granted["resources"], *granted["apiGroups"]):
                yield found(manifest, "grants with an asterisk")
            if powers := sorted({*granted["verbs"], *granted["resources"]} - POWERS):
                yield found(manifest, f"grants {powers}")
            if set(granted["verbs"]) & {"get", "list", "watch"} and not granted.get("resourceNames"):
                yield found(manifest, "reads any Secret of the namespace")


@rule(
    "bindings",
    "a binding gives one role of ours to one account of ours; a ClusterRole's rights nobody here has read",
)
def bindings(rendered: Rendered) -> Iterator[Finding]:
    for binding in rendered.of("RoleBinding"):
        role = binding.body["roleRef"]
        granted = rendered.find(role["kind"], role["name"]) if role["kind"] == "Role" else None
        if granted is None or not granted.body.get("rules"):
            yield found(binding, f"gives {role}, which is not rendered, or nothing")
        for subject in binding.body.get("subjects", ()):
            account = (
                rendered.find(subject["kind"], subject["name"])
                if subject["kind"] == "ServiceAccount"
                else None
            )
            if account is None or subject.get("namespace") != account.identity.namespace:
                yield found(binding, f"gives it to {subject}")


RULES: tuple[Rule, ...] = (least_roles, bindings)
