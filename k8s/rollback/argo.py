"""Whether Argo CD keeps a Deployment as Git says: then going back is a revert, and a change made here would be undone."""

from __future__ import annotations

from dataclasses import dataclass

from k8s.api.cluster import Cluster
from k8s.api.kinds import APPLICATIONS
from k8s.api.objects import Deployment
from k8s.api.surroundings import Application
from k8s.errors import Forbidden
from k8s.report import Finding, Severity, failed, warning

TRACKING = "argocd.argoproj.io/tracking-id"
INSTANCES = ("argocd.argoproj.io/instance", "app.kubernetes.io/instance")


@dataclass(frozen=True, kw_only=True)
class Keeper:
    """The application that a Deployment belongs to; `application` is None where it may not, or cannot, be read."""

    name: str
    namespace: str
    application: Application | None
    certain: bool

    @property
    def undoes_changes(self) -> bool:
        """Unless it is known that nothing is automatic, a change made by hand does not last."""
        if self.application is None:
            return self.certain
        policy = self.application.spec.sync_policy
        return policy is not None and policy.is_automated


def keeper_of(cluster: Cluster, found: Deployment, *, argo_namespace: str) -> Keeper | None:
    """By Argo's tracking annotation, or by its label where an application of that name exists."""
    name, certain = _tracked_by(found), True
    if not name:
        labels = [found.metadata.label(label) for label in INSTANCES]
        name, certain = next((label for label in labels if label), ""), False
    if not name:
        return None
    # Applications in other namespaces are tracked as `namespace_name`.
    namespace, _, bare = name.rpartition("_")
    place = namespace or argo_namespace
    application = _read(cluster, bare, place)
    if application is None and not certain:
        return None
    return Keeper(name=bare, namespace=place, application=application, certain=certain)


def _tracked_by(found: Deployment) -> str:
    """`app:apps/Deployment:namespace/name`; a copied annotation names another object and says nothing of this one."""
    application, _, rest = found.metadata.annotation(TRACKING).partition(":")
    mine = f"apps/Deployment:{found.metadata.namespace}/{found.name}"
    return application if rest == mine else ""


def _read(cluster: Cluster, name: str, namespace: str) -> Application | None:
    try:
        return cluster.find(APPLICATIONS, name, namespace=namespace)
    except Forbidden:
        return None


def how_to_revert(keeper: Keeper) -> list[Finding]:
    """What to type instead, in order."""
    application = keeper.application
    path = application.spec.source.path if application else "kustomize/overlays/…"
    branch = (application.spec.source.target_revision if application else "") or "main"
    running = application.status.sync.revision[:12] if application else ""
    why = f"Argo CD (application {keeper.name}) keeps this Deployment as Git says: a change made here would be undone"
    if running:
        why += f"; it runs {running}"
    steps = (
        ("look", "which commit to take back", f"git log --oneline -5 {branch} -- {path}"),
        (
            "revert",
            "the newest one that changed the overlay",
            f"git revert --no-edit $(git log -1 --format=%H {branch} -- {path})",
        ),
        ("push", "or open a pull request, where the branch is protected", f"git push origin HEAD:{branch}"),
        ("follow", "once Argo CD has synced", "python -m k8s rollout"),
    )
    told = [
        Finding(check=name, severity=Severity.OK, text=text, command=command) for name, text, command in steps
    ]
    return [failed("argo", why, "Argo CD refuses its own rollback, too, while it syncs automatically"), *told]


def will_drift(keeper: Keeper) -> Finding:
    return warning(
        "argo",
        f"the application {keeper.name} does not sync by itself: it will show OutOfSync until Git says the same",
        "revert in Git afterwards, or the next sync brings the change back",
    )
