"""Rules about what a pod may do to the node, the cluster and its neighbours."""

from __future__ import annotations

from collections.abc import Iterator

from tests.manifests.pod_security import violations
from tests.manifests.policy.model import Finding, Rendered, Rule, found, ours, rule

LOWEST_UID = 10_000
# Images whose own user is needed, with the reason: a table, so that the next one is a decision.
KNOWN_USERS = {"postgres": 999}
READ_BY_OWNER_AND_GROUP = 0o440


@rule("restricted-pod", "a namespace under the restricted Pod Security Standard refuses any other pod")
def restricted_pod(rendered: Rendered) -> Iterator[Finding]:
    for pod in rendered.pods:
        yield from (found(pod, what) for what in violations(pod.spec, pod.annotations))


@rule("numeric-user", "a user's name cannot be proven not to be root, and low numbers meet users of the node")
def numeric_user(rendered: Rendered) -> Iterator[Finding]:
    for pod in rendered.pods:
        context = pod.spec.get("securityContext") or {}
        for field in ("runAsUser", "runAsGroup"):
            contexts = [context, *((c.get("securityContext") or {}) for c in pod.containers)]
            values = [value[field] for value in contexts if field in value]
            if not values:
                yield found(pod, f"no {field}")
            if any(value < LOWEST_UID and value not in KNOWN_USERS.values() for value in values):
                yield found(pod, f"{field} {values} is below {LOWEST_UID}")


@rule(
    "volume-group",
    "a volume is useless to a process that may not write it, and changing its owner each start is slow",
)
def volume_group(rendered: Rendered) -> Iterator[Finding]:
    for pod in rendered.pods:
        context = pod.spec.get("securityContext") or {}
        if pod.spec.get("volumes") or pod.owner.body["spec"].get("volumeClaimTemplates"):
            if "fsGroup" not in context:
                yield found(pod, "no fsGroup")
            elif context.get("fsGroupChangePolicy") != "OnRootMismatch":
                yield found(pod, "no fsGroupChangePolicy: OnRootMismatch")


@rule("read-only-root", "what an intruder cannot write he cannot leave behind")
def read_only_root(rendered: Rendered) -> Iterator[Finding]:
    for pod, container in rendered.containers():
        if (container.get("securityContext") or {}).get("readOnlyRootFilesystem") is not True:
            yield found(pod, "its root file system is writable", container)


@rule("no-token", "a token that is not mounted cannot be stolen; only who is bound to a role has one")
def no_token(rendered: Rendered) -> Iterator[Finding]:
    bound = {
        subject["name"]
        for binding in rendered.of("RoleBinding", "ClusterRoleBinding")
        for subject in binding.body.get("subjects", ())
    }
    for pod in rendered.pods:
        mounts = pod.spec.get("automountServiceAccountToken")
        if pod.spec.get("serviceAccountName") in bound:
            if mounts is not True:
                yield found(pod, "is bound to a role, and has no token to use it")
            continue
        if mounts is not False:
            yield found(pod, "mounts a token of the API server, and is bound to no role")
    for account in rendered.of("ServiceAccount"):
        if account.body.get("automountServiceAccountToken") is not False:
            yield found(account, "gives every pod a token")


@rule("own-account", "pods that share the namespace's default account share its rights")
def own_account(rendered: Rendered) -> Iterator[Finding]:
    for pod in rendered.pods:
        if pod.owner.identity.kind == "ClusterServingRuntime":
            continue  # the account is named by whoever uses the runtime
        name = pod.spec.get("serviceAccountName")
        if not name or rendered.find("ServiceAccount", name) is None:
            yield found(pod, f"its ServiceAccount {name!r} is not rendered")


@rule("no-service-links", "variables of every Service in the namespace are no settings of ours")
def no_service_links(rendered: Rendered) -> Iterator[Finding]:
    for pod in rendered.pods:
        if (
            pod.owner.identity.kind != "ClusterServingRuntime"
            and pod.spec.get("enableServiceLinks") is not False
        ):
            yield found(pod, "enableServiceLinks is not false")


@rule("image-pinned", "a tag that moves makes two pods of one revision run different programs")
def image_pinned(rendered: Rendered) -> Iterator[Finding]:
    for pod, container in rendered.containers():
        image = container.get("image", "")
        name, _, digest = image.partition("@")
        tag = name.rsplit("/", 1)[-1].partition(":")[2]
        if tag == "latest" or not (tag or digest):
            yield found(pod, f"{image!r} is whatever is newest", container)
        if digest and not (digest.startswith("sha256:") and len(digest) == 71):
            yield found(pod, f"{image!r} has no digest", container)
        if ours(container) and not rendered.dev and not digest:
            yield found(pod, f"{image!r} is not named by its digest", container)


@rule(
    "image-pull",
    "with a digest the same name is always the same bytes; `Always` makes the registry part of every start",
)
def image_pull(rendered: Rendered) -> Iterator[Finding]:
    for pod, container in rendered.containers():
        if container.get("imagePullPolicy") != "IfNotPresent":
            yield found(pod, "imagePullPolicy is not IfNotPresent", container)


@rule(
    "secrets-as-files",
    "a variable shows in `describe`, in crash dumps and in every child; a file changes without a restart",
)
def secrets_as_files(rendered: Rendered) -> Iterator[Finding]:
    for pod, container in rendered.containers():
        for item in container.get("env", ()):
            if "secretKeyRef" in item.get("valueFrom", {}):
                yield found(pod, f"{item['name']} holds a secret", container)
        if any("secretRef" in source for source in container.get("envFrom", ())):
            yield found(pod, "every key of a Secret is a variable", container)
    for pod in rendered.pods:
        for volume in pod.spec.get("volumes", ()):
            if "secret" in volume and volume["secret"].get("defaultMode") != READ_BY_OWNER_AND_GROUP:
                yield found(pod, f"the Secret in {volume['name']} can be read by others")


@rule("no-secret-in-git", "what is committed once is known for ever")
def no_secret_in_git(rendered: Rendered) -> Iterator[Finding]:
    yield from (found(manifest, "is rendered") for manifest in rendered.of("Secret"))
    for manifest in rendered.of("ConfigMap"):
        for key, value in (manifest.body.get("data") or {}).items():
            if "PRIVATE KEY" in value or ("://" in value and "@" in value.split("://")[1].split("/")[0]):
                yield found(manifest, f"{key} holds a credential")


RULES: tuple[Rule, ...] = (
    *(restricted_pod, numeric_user, volume_group, read_only_root, no_token, own_account),
    *(no_service_links, image_pinned, image_pull, secrets_as_files, no_secret_in_git),
)
