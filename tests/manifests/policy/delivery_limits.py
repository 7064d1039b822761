"""Rules about what an application may not say: an option that is not listed is somebody's way around another rule."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from zoneinfo import available_timezones

from tests.manifests.policy.model import Finding, Rendered, Rule, annotation, found, rule

OPTIONS = {
    *("RespectIgnoreDifferences=true", "ServerSideApply=true", "PruneLast=true", "FailOnSharedResource=true"),
    "CreateNamespace=false",
}
BRANCH, LIST = "main", "argocd/apps"
IGNORED = {"/spec/replicas"}  # an autoscaler's
PRODUCTION = "slipway-production"
# Hours of a week that begins on Sunday: Friday evening, the nights and noons of the weekend, Monday before work.
QUIET = (5 * 24 + 17, 6 * 24, 6 * 24 + 12, 7 * 24 + 0, 7 * 24 + 12, 8 * 24 + 5)
HOURS = {"h": 1.0, "m": 1 / 60, "d": 24.0}


@rule(
    "application-options",
    "`Replace` deletes what it changes, `Validate=false` takes anything: no option that nobody has listed",
)
def application_options(rendered: Rendered) -> Iterator[Finding]:
    for application in rendered.of("Application"):
        given = application.body["spec"]["syncPolicy"].get("syncOptions", ())
        yield from (found(application, f"syncs with {option}") for option in sorted(set(given) - OPTIONS))


@rule("ignored-fields", "what is ignored is never brought back: the number of pods, and nothing else")
def ignored_fields(rendered: Rendered) -> Iterator[Finding]:
    for application in rendered.of("Application"):
        for entry in application.body["spec"].get("ignoreDifferences", ()):
            ignored = {*entry.get("jsonPointers", ()), *entry.get("jqPathExpressions", ())}
            if not ignored <= IGNORED or entry.get("managedFieldsManagers"):
                yield found(application, f"ignores {sorted(ignored)} of {entry['kind']}")


@rule("merged-only", "what runs is what was merged: another branch is what nobody has reviewed")
def merged_only(rendered: Rendered) -> Iterator[Finding]:
    for application in rendered.of("Application"):
        source = application.body["spec"].get("source", {})
        if source.get("targetRevision") != BRANCH or "sources" in application.body["spec"]:
            yield found(application, f"follows {source.get('targetRevision')!r}")


@rule(
    "applications-at-home",
    "an application in another namespace is nobody's, and a finalizer deletes what runs with it",
)
def applications_at_home(rendered: Rendered) -> Iterator[Finding]:
    for manifest in rendered.of("Application", "AppProject"):
        if manifest.identity.namespace != "argocd":
            yield found(manifest, f"is in {manifest.identity.namespace}")
        if manifest.body["metadata"].get("finalizers"):
            yield found(manifest, "deletes what it deployed when it is deleted")
    for project in rendered.of("AppProject"):
        if project.body["spec"].get("sourceNamespaces"):
            yield found(project, "takes applications from other namespaces than Argo CD's")
        for role in project.body["spec"].get("roles", ()):
            if role.get("groups"):
                yield found(project, f"its role {role['name']} is given to {role['groups']}")


@rule("quiet-weekends", "a window that is misread by an hour or a day is none")
def quiet_weekends(rendered: Rendered) -> Iterator[Finding]:
    ours = {
        application.identity.name
        for application in rendered.of("Application")
        if application.body["spec"]["destination"].get("namespace") == PRODUCTION
    }
    for project in rendered.of("AppProject"):
        for window in project.body["spec"].get("syncWindows", ()):
            if window.get("timeZone", "UTC") not in available_timezones():
                yield found(project, f"{window['timeZone']!r} is no time zone")
            covered = _covered(window)
            if window["kind"] == "deny" and any(not covered(hour) for hour in QUIET):
                yield found(project, f"{window['schedule']} for {window['duration']} leaves the weekend open")
            if window["kind"] == "deny" and (missing := ours - set(window.get("applications", ()))):
                yield found(project, f"its window forgets {sorted(missing)}")


def _covered(window: dict[str, Any]) -> Any:
    """Whether an hour of the week is inside; a schedule that is not `minute hour * * day` covers none."""
    fields, duration = window["schedule"].split(), str(window["duration"])
    if len(fields) != 5 or fields[2:4] != ["*", "*"] or not all(fields[at].isdigit() for at in (0, 1, 4)):
        return lambda hour: False
    if not duration[:-1].isdigit() or duration[-1] not in HOURS:
        return lambda hour: False
    start = int(fields[4]) * 24 + int(fields[1]) + int(fields[0]) / 60
    end = start + float(duration[:-1]) * HOURS[duration[-1]]
    return lambda hour: start <= hour < end or start <= hour + 7 * 24 < end


@rule("application-paths", "an application that syncs the projects widens its own powers with the next merge")
def application_paths(rendered: Rendered) -> Iterator[Finding]:
    for application in rendered.of("Application"):
        path = application.body["spec"].get("source", {}).get("path", "")
        if path != LIST and not path.startswith("kustomize/overlays/"):
            yield found(application, f"syncs {path}")
    for project in rendered.of("AppProject"):
        if "destinationServiceAccounts" in project.body["spec"]:
            yield found(project, "syncs as somebody whom nobody has listed")


@rule(
    "applications-compare",
    "defaults that a CRD fills in are differences for ever; without a history there is no way back",
)
def applications_compare(rendered: Rendered) -> Iterator[Finding]:
    for application in rendered.of("Application"):
        if "ServerSideDiff=true" not in annotation(application, "argocd.argoproj.io/compare-options").split(
            ","
        ):
            yield found(application, "does not ask the API server what differs")
        if application.body["spec"].get("revisionHistoryLimit", 10) < 3:
            yield found(application, "remembers fewer than three revisions")


RULES: tuple[Rule, ...] = (
    *(application_paths, applications_compare),
    *(application_options, ignored_fields, merged_only, applications_at_home, quiet_weekends),
)
