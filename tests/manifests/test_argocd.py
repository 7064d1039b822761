"""One place says where the manifests come from; the cluster gets the projects and one application, which knows the others."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.manifests.kustomize import ROOT, render
from deploy.manifests.objects import Manifest, parse
from tests.manifests.rendering import overlays

FOLDER = ROOT / "argocd"
FORK = "https://git.example.org/team/slipway.git"
NOTIFICATIONS = FOLDER / "notifications" / "argocd-notifications-cm.yaml"


@pytest.fixture(scope="module")
def forked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Manifest, ...]:
    """As a fork has it that changed the two lines of settings/source.yaml."""
    folder = tmp_path_factory.mktemp("fork") / "argocd"
    shutil.copytree(FOLDER, folder)
    source = folder / "settings" / "source.yaml"
    text = re.sub(r"repoURL: .*", f"repoURL: {FORK}", source.read_text())
    source.write_text(re.sub(r"targetRevision: .*", "targetRevision: live", text))
    return (*parse(render(folder)), *parse(render(folder / "apps")))


def notifications() -> dict[str, Any]:
    return dict(yaml.safe_load(NOTIFICATIONS.read_text())["data"])


def test_a_fork_changes_one_file(forked: tuple[Manifest, ...]) -> None:
    projects = [m.body["spec"] for m in forked if m.identity.kind == "AppProject"]
    sources = [m.body["spec"]["source"] for m in forked if m.identity.kind == "Application"]
    assert [spec["sourceRepos"] for spec in projects] == [[FORK], [FORK]]
    assert {(source["repoURL"], source["targetRevision"]) for source in sources} == {(FORK, "live")}


def test_what_is_installed_by_hand_is_two_projects_and_the_root() -> None:
    found = {(m.identity.kind, m.identity.name) for m in parse(render(FOLDER))}
    assert found == {("AppProject", "slipway"), ("AppProject", "slipway-root"), ("Application", "slipway")}


def test_the_root_application_may_write_applications_and_nothing_else() -> None:
    (root,) = (m for m in parse(render(FOLDER)) if m.identity.name == "slipway-root")
    spec = root.body["spec"]
    assert spec["namespaceResourceWhitelist"] == [{"group": "argoproj.io", "kind": "Application"}]
    assert spec["clusterResourceWhitelist"] == []
    assert [place["namespace"] for place in spec["destinations"]] == ["argocd"]


def test_the_locked_default_project_allows_nothing() -> None:
    (project,) = parse(render(FOLDER / "default"))
    spec = project.body["spec"]
    assert (project.identity.kind, project.identity.name) == ("AppProject", "default")
    lists = ("sourceRepos", "sourceNamespaces", "destinations", "clusterResourceWhitelist")
    assert [spec[name] for name in lists] == [[], [], [], []]
    assert spec["namespaceResourceBlacklist"] == [{"group": "*", "kind": "*"}]


def test_the_root_application_makes_what_is_listed_and_one_of_two_productions() -> None:
    found = {manifest.identity.name for manifest in parse(render(FOLDER / "apps"))}
    assert found
    assert found <= {f"slipway-{name}" for name in overlays()} - {"slipway-dev"}
    assert not {"slipway-production", "slipway-aws"} <= found


def test_every_application_that_is_not_made_stands_beside_the_list_with_its_reason() -> None:
    listing = (FOLDER / "apps" / "kustomization.yaml").read_text()
    files = {path.name for path in (FOLDER / "apps").glob("*.yaml")} - {"kustomization.yaml"}
    assert files == set(re.findall(r"- (\w+\.yaml)", listing))


def test_no_application_takes_what_runs_with_it_when_it_goes() -> None:
    for path in (FOLDER / "root.yaml", *(FOLDER / "apps").glob("*.yaml")):
        assert "finalizers" not in path.read_text()


def test_every_subscription_has_a_trigger_and_every_trigger_its_message() -> None:
    data = notifications()
    for path in set((FOLDER / "apps").glob("*.yaml")) - {FOLDER / "apps" / "kustomization.yaml"}:
        annotations = yaml.safe_load(path.read_text())["metadata"]["annotations"]
        subscribed = [key.split("subscribe.")[1] for key in annotations if "subscribe." in key]
        assert subscribed
        for trigger, service in (name.rsplit(".", 1) for name in subscribed):
            assert f"service.{service}" in data
            for step in yaml.safe_load(data[f"trigger.{trigger}"]):
                assert all(f"template.{message}" in data for message in step["send"])


def test_the_window_of_production_covers_it_wherever_it_runs() -> None:
    (project,) = (
        m for m in parse(render(FOLDER)) if m.identity.name == "slipway" and m.identity.kind == "AppProject"
    )
    (window,) = project.body["spec"]["syncWindows"]
    assert set(window["applications"]) == {"slipway-production", "slipway-aws"}
    assert window["manualSync"] is True


def test_no_secret_is_in_the_messages() -> None:
    assert "token: $slack-token" in notifications()["service.slack"]


def test_the_settings_are_never_applied(tmp_path: Path) -> None:
    assert not [
        m
        for folder in (FOLDER, FOLDER / "apps")
        for m in parse(render(folder))
        if m.identity.name == "source"
    ]
