"""The template of an earlier revision, and the patch that makes it the Deployment's again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from k8s.api.cluster import Cluster, Scope
from k8s.api.kinds import CONFIG_MAPS, DEPLOYMENTS, REPLICA_SETS
from k8s.api.objects import Deployment
from k8s.errors import Clash, Misused
from k8s.report import Finding, Table, failed
from k8s.workload import written

REVISION = "deployment.kubernetes.io/revision"
HASH_LABEL = "pod-template-hash"


@dataclass(frozen=True, kw_only=True)
class Revision:
    number: int
    template: Any

    @property
    def images(self) -> dict[str, str]:
        spec = self.template["spec"]
        found = [*(spec.get("initContainers") or ()), *spec["containers"]]
        return {str(container["name"]): str(container.get("image", "")) for container in found}

    @property
    def config_maps(self) -> frozenset[str]:
        """ConfigMaps that its pods cannot start without."""
        spec = self.template["spec"]
        names = {v["configMap"]["name"] for v in spec.get("volumes") or () if _needed(v.get("configMap"))}
        for container in [*(spec.get("initContainers") or ()), *spec["containers"]]:
            sources = [source.get("configMapRef") for source in container.get("envFrom") or ()]
            names |= {source["name"] for source in sources if _needed(source)}
        return frozenset(str(name) for name in names)


def _needed(source: Any) -> bool:
    return bool(source) and not source.get("optional")


def revisions(cluster: Cluster, found: Deployment) -> list[Revision]:
    """Every revision that its ReplicaSets still remember, newest first."""
    sets = cluster.list(REPLICA_SETS, Scope(labels=written(found.spec.selector))).items
    owned = [s for s in sets if any(o.uid == found.metadata.uid for o in s.metadata.owner_references or ())]
    numbered = [Revision(number=_number(one), template=_template(one)) for one in owned]
    return sorted(numbered, key=lambda revision: revision.number, reverse=True)


def _number(found: Deployment) -> int:
    text = found.metadata.annotation(REVISION)
    return int(text) if text.isdigit() else 0


def _template(found: Deployment) -> Any:
    """As the Deployment had it: without the label that its controller adds."""
    template = msgspec.json.decode(found.spec.template)
    labels = template.get("metadata", {}).get("labels", {})
    template["metadata"] = {
        **template.get("metadata", {}),
        "labels": {k: v for k, v in labels.items() if k != HASH_LABEL},
    }
    return template


def choose(known: Sequence[Revision], *, current: int, wanted: int | None) -> Revision:
    """The one asked for, or the newest that is not the current one."""
    if wanted is not None:
        found = next((revision for revision in known if revision.number == wanted), None)
        if found is None:
            numbers = ", ".join(str(revision.number) for revision in known) or "none"
            raise Misused(f"revision {wanted} is not remembered (there are: {numbers})")
        return found
    earlier = [revision for revision in known if revision.number != current]
    if not earlier:
        raise Misused("there is no earlier revision: nothing to go back to")
    return earlier[0]


def lost_config(cluster: Cluster, target: Revision) -> Iterator[Finding]:
    """Generated ConfigMaps carry a hash in their name, and the old ones are pruned: such a revision cannot start."""
    for name in sorted(target.config_maps):
        if cluster.find(CONFIG_MAPS, name) is None:
            yield failed(
                "config",
                f"revision {target.number} mounts the ConfigMap {name}, which is gone: its pods could not start",
                "revert in Git and apply the overlay: that brings the ConfigMap back",
            )


def changes(now: Revision, then: Revision) -> Table:
    rows = [
        (f"image {name}", now.images.get(name, "-"), then.images.get(name, "-"))
        for name in sorted({**now.images, **then.images})
        if now.images.get(name) != then.images.get(name)
    ]
    if now.config_maps != then.config_maps:
        rows.append(("config", ", ".join(sorted(now.config_maps)), ", ".join(sorted(then.config_maps))))
    return Table(name="changes", columns=("what", "now", "then"), rows=tuple(rows))


def apply(cluster: Cluster, found: Deployment, target: Revision, *, dry_run: bool) -> None:
    """All or nothing, and only if nobody has changed the Deployment since it was read."""
    operations = (
        {"op": "test", "path": "/metadata/generation", "value": found.metadata.generation},
        {"op": "replace", "path": "/spec/template", "value": target.template},
        {
            "op": "add",
            "path": "/metadata/annotations/kubernetes.io~1change-cause",
            "value": f"back to revision {target.number}",
        },
    )
    try:
        cluster.patch(DEPLOYMENTS, found.name, operations, dry_run=dry_run)
    except Clash as error:
        raise Clash(
            f"the Deployment was changed meanwhile, nothing was done: {error}", status=error.status
        ) from error
