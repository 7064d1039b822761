"""`k8s preflight`: what would stop a deployment is found before it, and nothing else is complained of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from k8s.dev_secret import SERVICE
from tests.fakes.api_server import shapes, surroundings
from tests.fakes.api_server.server import FakeApiServer
from tests.integration.k8s.conftest import Ask
from tests.integration.k8s.verb import Result

Json = shapes.Json


def test_a_cluster_that_has_everything_is_ready(look: Callable[..., Result]) -> None:
    result = look()
    assert (result.code, result.findings(), result.findings("warning")) == (0, [], [])
    assert "capacity: 3.3 cores, 3840Mi requested on 1 nodes" in result.findings("ok")


def old_cluster(api: FakeApiServer) -> None:
    api.version = {"gitVersion": "v1.28.4", "major": "1", "minor": "28"}


def no_namespace(api: FakeApiServer) -> None:
    api.remove("Namespace", shapes.NAMESPACE)


def no_monitors(api: FakeApiServer) -> None:
    api.forget_kind("ServiceMonitor")


def no_metrics(api: FakeApiServer) -> None:
    api.forget_kind("NodeMetrics")


def no_secret(api: FakeApiServer) -> None:
    api.remove("Secret", SERVICE)


def no_key(api: FakeApiServer) -> None:
    api.add(surroundings.secret(SERVICE, "jwt-secret-key", "database-url", "redis-url"))


def no_pull_secret(api: FakeApiServer) -> None:
    api.remove("Secret", "registry")


def a_pull_secret_of_another_kind(api: FakeApiServer) -> None:
    api.add(surroundings.secret("registry", "password"))


def no_default_class(api: FakeApiServer) -> None:
    api.add(surroundings.storage_class(default=False))


def a_small_quota(api: FakeApiServer) -> None:
    api.add(surroundings.quota(requests_cpu=("4", "1500m"), pods=("50", "1")))


def a_quota_of_pods(api: FakeApiServer) -> None:
    api.add(surroundings.quota(pods=("3", "1")))


def small_nodes(api: FakeApiServer) -> None:
    api.add(*(surroundings.node(f"node-{number}", cpu="1") for number in range(1, 6)))


def few_nodes(api: FakeApiServer) -> None:
    api.add(surroundings.node(cpu="2"))


def nodes_that_are_down(api: FakeApiServer) -> None:
    api.add(surroundings.node(ready="False"))


STOPS: dict[Callable[[FakeApiServer], None], str] = {
    old_cluster: "version: v1.28.4",
    no_namespace: "namespace: there is no slipway-staging",
    no_monitors: "kinds: ServiceMonitor (monitoring.coreos.com/v1) is not known",
    no_metrics: "metrics: no metrics API",
    no_secret: "secrets: there is no slipway-secrets",
    no_key: "secrets: slipway-secrets has no features-url",
    no_pull_secret: "secrets: there is no registry",
    a_pull_secret_of_another_kind: "secrets: registry is no pull secret: its type is Opaque",
    no_default_class: "storage: no default StorageClass for postgres",
    a_small_quota: "quota: team leaves 2.5 of requests.cpu, the pods request 3.3",
    a_quota_of_pods: "quota: team leaves 2 of pods, the pods request 3",
    small_nodes: "capacity: no node can take a pod of Deployment/slipway (1.1 cpu, 1280Mi memory)",
    few_nodes: "capacity: 3.3 cpu requested, 1 nodes have 2",
    nodes_that_are_down: "capacity: no node can take",
}


@pytest.mark.parametrize("change", STOPS, ids=lambda change: change.__name__)
def test_what_would_stop_it_is_found(
    look: Callable[..., Result], api: FakeApiServer, change: Callable[[FakeApiServer], None]
) -> None:
    change(api)
    result = look()
    assert result.code == 1
    assert STOPS[change] in " | ".join(result.findings())


def newer_cluster(api: FakeApiServer) -> None:
    api.version = {"gitVersion": "v1.40.0", "major": "1", "minor": "40"}


def no_level(api: FakeApiServer) -> None:
    api.add(surroundings.namespace(""))


def a_full_quota_with_pods(api: FakeApiServer) -> None:
    api.add(surroundings.quota(pods=("3", "3")), shapes.pod())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (newer_cluster, "tested are 1.35 to 1.37"),
        (no_level, "enforces no Pod Security level"),
        (a_full_quota_with_pods, "leaves 0 of pods"),
    ],
)
def test_what_may_be_meant_so_is_a_warning(
    look: Callable[..., Result], api: FakeApiServer, change: Callable[[FakeApiServer], None], words: str
) -> None:
    change(api)
    result = look()
    assert (result.code, result.findings()) == (0, [])
    assert words in " | ".join(result.findings("warning"))


def door(kind: str) -> Json:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": "slipway"}, "spec": {}}


def settings(proxies: str) -> Json:
    data = {"TRUSTED_PROXIES": proxies}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "slipway-settings"}, "data": data}


@pytest.mark.parametrize("kind", ["Ingress", "HTTPRoute", "InferenceService"])
def test_a_door_that_the_settings_do_not_name_is_a_warning(
    look: Callable[..., Result], objects: dict[str, Json], kind: str
) -> None:
    objects["settings"] = settings(" ")
    assert not any("proxies:" in text for text in look().findings("warning"))
    objects["door"] = door(kind)
    warned = [text for text in look().findings("warning") if text.startswith("proxies:")]
    expected = f"proxies: {kind}, and TRUSTED_PROXIES is empty: strangers can slow down the login of anybody"
    assert warned == [expected]
    objects["settings"] = settings("10.244.0.0/16")
    assert not any("proxies:" in text for text in look().findings("warning"))


def an_external_secret(objects: dict[str, Json]) -> None:
    spec = {"target": {"name": SERVICE}}
    objects["ExternalSecret"] = {
        "apiVersion": "v1",
        "kind": "ExternalSecret",
        "metadata": {"name": "any"},
        "spec": spec,
    }


def the_job_of_dev(objects: dict[str, Json]) -> None:
    objects["Job"] = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "dev-secret"}, "spec": {}}


@pytest.mark.parametrize("bring", [an_external_secret, the_job_of_dev])
def test_a_secret_that_the_overlay_makes_is_not_missed(
    look: Callable[..., Result],
    api: FakeApiServer,
    objects: dict[str, Json],
    bring: Callable[[dict[str, Json]], None],
) -> None:
    api.remove("Secret", SERVICE)
    bring(objects)
    assert "secrets: slipway-secrets is made by the overlay itself" in look().findings("ok")


def test_a_namespace_that_the_overlay_brings_is_not_missed(
    look: Callable[..., Result], api: FakeApiServer, objects: dict[str, Json]
) -> None:
    no_namespace(api)
    objects["Namespace"] = surroundings.namespace()
    assert look().code == 0


def test_the_manifest_says_which_namespace_is_meant(
    look: Callable[..., Result], objects: dict[str, Json]
) -> None:
    objects["Deployment"]["metadata"]["namespace"] = "somewhere"
    assert look().report["subject"] == "somewhere"
    assert look("--namespace", shapes.NAMESPACE).report["subject"] == shapes.NAMESPACE


def test_keys_are_those_that_the_pods_name(
    look: Callable[..., Result], api: FakeApiServer, objects: dict[str, Json]
) -> None:
    container = objects["Deployment"]["spec"]["template"]["spec"]["containers"][0]
    reference = {"name": "other", "key": "password"}
    container["env"] = [{"name": "X", "valueFrom": {"secretKeyRef": reference}}]
    container["envFrom"] = [{"secretRef": {"name": "whole"}}]
    api.add(surroundings.secret("other", "user"), surroundings.secret("whole"))
    assert look().findings() == ["secrets: other has no password"]


def test_without_a_manifest_only_the_cluster_is_looked_at(api: FakeApiServer, ask: Ask) -> None:
    api.add(surroundings.namespace())
    result = ask("preflight")
    assert result.code == 0
    assert {finding["check"] for finding in result.report["findings"]} == {"version", "namespace"}


@pytest.mark.parametrize("text", ["a: [", "just words", "kind: Pod\n"])
def test_what_is_no_manifest_is_refused(
    ask: Ask, tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "m.yaml").write_text(text)
    assert ask("preflight", "--manifest", tmp_path / "m.yaml").code == 2
    assert "manifest" in capsys.readouterr().err


def test_no_secret_value_is_ever_printed(look: Callable[..., Result]) -> None:
    assert "c2VjcmV0" not in look().text
    printed: Any = look("--output", "text").text
    assert "c2VjcmV0" not in printed
