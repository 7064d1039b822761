"""Rules about Argo CD's own objects: what its projects allow, and what its applications do with a change in Git."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from deploy.manifests.kustomize import ROOT
from deploy.manifests.objects import Manifest, parse
from tests.manifests.policy.model import Finding, Rendered, Rule, found, rule
from tests.manifests.rendering import components, on_base_objects, overlay, overlays

POWERFUL = {"Secret", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding", "*"}
OPTIONS = (
    "RespectIgnoreDifferences=true",
    "ServerSideApply=true",
    "PruneLast=true",
    "FailOnSharedResource=true",
)


@cache
def applications() -> Rendered:
    """Everything under argocd/, whether or not somebody has switched it on."""
    files = [*sorted((ROOT / "argocd").glob("*.yaml")), *sorted((ROOT / "argocd" / "apps").glob("*.yaml"))]
    texts = [path.read_text(encoding="utf-8") for path in files if path.name != "kustomization.yaml"]
    return Rendered("argocd", tuple(manifest for text in texts for manifest in parse(text)))


@dataclass(frozen=True)
class Deployed:
    """An application, the project it belongs to, and what it would make."""

    application: Manifest
    project: dict[str, Any]
    objects: tuple[Manifest, ...]


def deployed(rendered: Rendered) -> Iterator[Deployed]:
    for application in rendered.of("Application"):
        project = rendered.find("AppProject", application.body["spec"]["project"])
        path = application.body["spec"]["source"]["path"]
        name = path.rpartition("/")[2]
        if path.startswith("kustomize/overlays/"):
            objects = overlay(name) if name in overlays() else ()
        else:
            objects = tuple(rendered.of("Application"))
        yield Deployed(application, project.body["spec"] if project else {}, objects)


@rule("applications-complete", "an overlay that no application deploys is deployed by hand, or not at all")
def applications_complete(rendered: Rendered) -> Iterator[Finding]:
    paths = [application.body["spec"]["source"]["path"] for application in rendered.of("Application")]
    for name in sorted(set(overlays()) - {"dev"}):
        if paths.count(f"kustomize/overlays/{name}") != 1:
            yield Finding(
                f"{name} is deployed by {paths.count(f'kustomize/overlays/{name}')} applications", "argocd"
            )
    for each in deployed(rendered):
        if not each.project or not each.objects:
            yield found(each.application, "has no project, or nothing to make")


@rule(
    "project-allows",
    "what a project does not list is not synced",
)
def project_allows(rendered: Rendered) -> Iterator[Finding]:
    for each in deployed(rendered):
        lists = [each.project.get(f"{scope}ResourceWhitelist", ()) for scope in ("cluster", "namespace")]
        allowed = [entry for listed in lists for entry in listed]
        for manifest in each.objects:
            if not any(_covers(entry, manifest) for entry in allowed):
                yield found(each.application, f"renders {manifest.identity.kind}, which its project refuses")
        spec = each.application.body["spec"]
        places = [(place["server"], place["namespace"]) for place in each.project.get("destinations", ())]
        if (spec["destination"]["server"], spec["destination"]["namespace"]) not in places:
            yield found(each.application, f"goes to {spec['destination']}, which its project refuses")
        if spec["source"]["repoURL"] not in each.project.get("sourceRepos", ()):
            yield found(each.application, "comes from a repository that its project refuses")


def _covers(entry: dict[str, str], manifest: Manifest) -> bool:
    group, kind = manifest.identity.api_version.rpartition("/")[0], manifest.identity.kind
    return (entry["group"], entry["kind"]) == (group, kind) and entry.get("name") in (
        None,
        manifest.identity.name,
    )


@rule("project-exact", "what a project lists and nothing renders, with any component, is power for nothing")
def project_exact(rendered: Rendered) -> Iterator[Finding]:
    used: dict[str, set[tuple[str, str]]] = {}
    for each in deployed(rendered):
        kinds = {(m.identity.api_version.rpartition("/")[0], m.identity.kind) for m in each.objects}
        used.setdefault(each.application.body["spec"]["project"], set()).update(kinds)
    optional = {(m.identity.api_version.rpartition("/")[0], m.identity.kind) for m in of_components()}
    for project in rendered.of("AppProject"):
        spec = project.body["spec"]
        listed = [*spec.get("clusterResourceWhitelist", ()), *spec.get("namespaceResourceWhitelist", ())]
        renderable = used.get(project.identity.name, set()) | optional
        for entry in listed:
            if (entry["group"], entry["kind"]) not in renderable:
                yield found(project, f"allows {entry['kind']}, which nothing renders")


@cache
def of_components() -> tuple[Manifest, ...]:
    return tuple(manifest for name in components() for manifest in on_base_objects(name))


@rule("project-narrow", "a merged change must not grant rights, read Secrets, or leave its namespaces")
def project_narrow(rendered: Rendered) -> Iterator[Finding]:
    for project in rendered.of("AppProject"):
        spec = project.body["spec"]
        if any("*" in repository for repository in spec["sourceRepos"]):
            yield found(project, "takes manifests from anywhere")
        if any(
            "*" in (place.get("namespace", "*") + place.get("server", "*")) for place in spec["destinations"]
        ):
            yield found(project, "may write anywhere")
        granted = [*spec.get("clusterResourceWhitelist", ()), *spec.get("namespaceResourceWhitelist", ())]
        if powerful := sorted({entry["kind"] for entry in granted} & POWERFUL):
            yield found(project, f"may make {powerful}")
        if {entry["kind"] for entry in spec.get("clusterResourceWhitelist", ())} - {"Namespace"}:
            yield found(project, "may make more of the cluster than a Namespace")
        homes = {place["namespace"] for place in spec["destinations"]}
        for entry in spec.get("clusterResourceWhitelist", ()):
            if entry.get("name") not in homes:
                yield found(project, f"may change the namespace {entry.get('name', 'of anybody')}")


@rule(
    "project-watched",
    "nothing reaches production on a Friday evening, and nobody's token does more than sync",
)
def project_watched(rendered: Rendered) -> Iterator[Finding]:
    project = rendered.find("AppProject", "slipway")
    if project is None:
        yield Finding("there is no project slipway", "argocd")
        return
    spec = project.body["spec"]
    if not spec.get("orphanedResources", {}).get("warn"):
        yield found(project, "is silent about what nobody owns")
    denied = [window for window in spec.get("syncWindows", ()) if window["kind"] == "deny"]
    if not any("slipway-production" in window.get("applications", ()) for window in denied):
        yield found(project, "has no window in which production stays as it is")
    for role in spec.get("roles", ()):
        for policy in role["policies"]:
            _, _, _, action, where, _ = (part.strip() for part in policy.split(","))
            if action not in {"get", "sync"} or not where.startswith("slipway/"):
                yield found(project, f"its role {role['name']} may {action} {where}")


@rule(
    "applications-heal",
    "what is in Git is what runs: also after a change by hand, and after a failed first try",
)
def applications_heal(rendered: Rendered) -> Iterator[Finding]:
    wanted: dict[str, Callable[[dict[str, Any]], bool]] = {
        "removes what Git removed": lambda policy: policy["automated"].get("prune") is True,
        "undoes changes by hand": lambda policy: policy["automated"].get("selfHeal") is True,
        "refuses to delete everything": lambda policy: policy["automated"].get("allowEmpty") is False,
        "tries again with the newest commit": lambda policy: policy["retry"]["refresh"] is True,
        "tries again, ever later": lambda policy: (
            policy["retry"]["limit"] >= 3 and "maxDuration" in policy["retry"]["backoff"]
        ),
    }
    for application in rendered.of("Application"):
        for name, holds in wanted.items():
            try:
                kept = holds(application.body["spec"]["syncPolicy"])
            except KeyError:
                kept = False
            if not kept:
                yield found(application, f"not so: {name}")


@rule(
    "sync-options",
    "without them what is ignored is applied all the same, and what two share changes hands at each sync",
)
def sync_options(rendered: Rendered) -> Iterator[Finding]:
    for application in rendered.of("Application"):
        spec = application.body["spec"]
        given = spec["syncPolicy"].get("syncOptions", ())
        for option in OPTIONS:
            if option not in given and not (
                option.startswith("Respect") and not spec.get("ignoreDifferences")
            ):
                yield found(application, f"lacks {option}")
        if "CreateNamespace=true" in given:
            yield found(application, "makes its namespace without Pod Security labels")


def _path(application: Manifest) -> str:
    return str(application.body["spec"]["source"]["path"])


@rule(
    "ignored-replicas",
    "self-heal scales back what an autoscaler scaled, unless the difference is ignored by group and kind",
)
def ignored_replicas(rendered: Rendered) -> Iterator[Finding]:
    for each in deployed(rendered):
        scalers = [m for m in each.objects if m.identity.kind in {"HorizontalPodAutoscaler", "ScaledObject"}]
        ignored = {
            (entry.get("group", ""), entry["kind"])
            for entry in each.application.body["spec"].get("ignoreDifferences", ())
            if "/spec/replicas" in entry.get("jsonPointers", ())
        }
        if each.objects and ("apps", "Deployment") not in ignored and "overlays/" in _path(each.application):
            yield found(each.application, "heals the pods that a Deployment has until a Rollout has them")
        for scaler in scalers:
            target = scaler.body["spec"]["scaleTargetRef"]
            group = target.get("apiVersion", "apps/v1").rpartition("/")[0]
            if (group, target.get("kind", "Deployment")) not in ignored:
                yield found(
                    each.application, f"heals the replicas of {target['name']}, which an autoscaler writes"
                )


@rule(
    "application-names",
    "the application, its overlay and its namespace have one name, so that nobody syncs the wrong one",
)
def application_names(rendered: Rendered) -> Iterator[Finding]:
    for each in deployed(rendered):
        spec = each.application.body["spec"]
        name = spec["source"]["path"].rpartition("/")[2]
        namespaces = {
            manifest.identity.name for manifest in each.objects if manifest.identity.kind == "Namespace"
        }
        if namespaces and namespaces != {spec["destination"]["namespace"]}:
            yield found(
                each.application, f"goes to {spec['destination']['namespace']} and renders {namespaces}"
            )
        if namespaces and each.application.identity.name != f"slipway-{name}":
            yield found(each.application, f"deploys {name}")


RULES: tuple[Rule, ...] = (
    *(
        applications_complete,
        project_allows,
        project_exact,
        project_narrow,
        project_watched,
        applications_heal,
    ),
    *(sync_options, ignored_replicas, application_names),
)
