"""The InferenceService is the base's pod and nothing else; a canary differs by its image; names of settings are followed."""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from deploy.manifests.kustomize import ROOT, render
from deploy.manifests.objects import Manifest, parse
from tests.manifests.rendering import on_base_objects, overlay
from tests.manifests.schema_check import errors, minors

EXTRA = {
    *("minReplicas", "maxReplicas", "scaleMetric", "scaleMetricType", "scaleTarget"),
    *("annotations", "deploymentStrategy"),
}
FOLDER = ROOT / "kustomize" / "overlays" / "kserve"


def of(manifests: tuple[Manifest, ...], kind: str) -> Manifest:
    (found,) = (manifest for manifest in manifests if manifest.identity.kind == kind)
    return found


def predictor(manifests: tuple[Manifest, ...]) -> dict[str, Any]:
    return dict(of(manifests, "InferenceService").body["spec"]["predictor"])


@cache
def with_canary(folder: Path) -> tuple[Manifest, ...]:
    """The overlay as its comment says to switch a canary on."""
    shutil.copytree(ROOT / "kustomize", folder / "kustomize")
    changed = folder / "kustomize" / "overlays" / "kserve"
    listing = changed / "kustomization.yaml"
    listing.write_text(listing.read_text().replace("  # - canary", "  - canary"))
    image = changed / "canary" / "canary.yaml"
    image.write_text(image.read_text().replace("0" * 64, "c" * 64))
    return parse(render(changed))


@pytest.fixture(scope="module")
def canary(tmp_path_factory: pytest.TempPathFactory) -> tuple[Manifest, ...]:
    return with_canary(tmp_path_factory.mktemp("canary"))


def shape(pod: dict[str, Any]) -> dict[str, Any]:
    """Without what an overlay says: images and the names of settings."""
    plain = {key: value for key, value in pod.items() if key not in EXTRA}
    for part in ("containers", "initContainers"):
        plain[part] = [{**one, "image": "", "envFrom": [], "env": ours(one)} for one in pod[part]]
    plain["volumes"] = [hashless(volume) for volume in pod["volumes"]]
    return plain


def hashless(volume: dict[str, Any]) -> dict[str, Any]:
    """Whatever the keys are that an overlay trusts."""
    if volume["name"] != "model-keys":
        return volume
    return {**volume, "configMap": {"name": volume["configMap"]["name"].rpartition("-")[0]}}


def ours(container: dict[str, Any]) -> list[dict[str, Any]]:
    """Its variables without the one that KServe reads."""
    return [variable for variable in container.get("env", ()) if variable["name"] != "PROTOCOL"]


def test_the_predictor_is_the_pod_of_the_deployment() -> None:
    deployment = of(on_base_objects("model-store-init", "identity", "signed-models"), "Deployment").body[
        "spec"
    ]
    pod, strategy = deployment["template"]["spec"], deployment["strategy"]
    pod["containers"][0]["name"] = "kserve-container"
    found = predictor(overlay("kserve"))
    assert shape(found) == shape(pod)
    assert found["deploymentStrategy"] == strategy


def test_kserve_knows_that_it_speaks_the_second_protocol() -> None:
    spoken = {"name": "PROTOCOL", "value": "v2"}
    assert spoken in predictor(overlay("kserve"))["containers"][0]["env"]
    (runtime,) = parse(render(FOLDER / "runtime"))
    (example,) = parse((FOLDER / "runtime" / "example.yaml").read_text())
    assert predictor((example,))["model"]["protocolVersion"] in runtime.body["spec"]["protocolVersions"]


def test_kserve_makes_what_the_overlay_removes() -> None:
    kinds = {manifest.identity.kind for manifest in overlay("kserve")}
    assert (
        kinds & {"Deployment", "Service", "HorizontalPodAutoscaler", "ScaledObject", "ServiceMonitor"}
        == set()
    )


def test_changed_settings_roll_the_pods(tmp_path: Path) -> None:
    def settings(manifests: tuple[Manifest, ...]) -> set[str]:
        found = predictor(manifests)
        return {
            source["configMapRef"]["name"]
            for one in (*found["containers"], *found["initContainers"])
            for source in one.get("envFrom", ())
        }

    shutil.copytree(ROOT / "kustomize", tmp_path / "kustomize")
    changed = tmp_path / "kustomize" / "overlays" / "kserve"
    with (changed / "settings.env").open("a") as file:
        file.write("LOG_LEVEL=DEBUG\n")
    before, after = settings(overlay("kserve")), settings(parse(render(changed)))
    assert (len(before), len(after)) == (1, 1)
    assert before != after


def test_alerts_know_the_targets_of_the_pod_monitor_by_the_name_of_the_service() -> None:
    monitor = of(overlay("kserve"), "PodMonitor").body["spec"]
    for endpoint in monitor["podMetricsEndpoints"]:
        label = {"action": "replace", "targetLabel": "service", "replacement": "slipway"}
        assert label in endpoint["relabelings"]


def test_a_canary_is_the_stable_predictor_with_another_image(canary: tuple[Manifest, ...]) -> None:
    spec = of(canary, "InferenceService").body["spec"]
    (one,) = spec["canary"]
    assert (one["trafficPercent"], one["predictor"]["name"]) == (10, "next")
    for part in ("containers", "initContainers"):
        stable, new = spec["predictor"][part], one["predictor"][part]
        assert {container["image"][-64:] for container in new} == {"c" * 64}
        assert {container["image"][-64:] for container in stable} == {"0" * 64}
        assert [{**container, "image": ""} for container in new] == [
            {**container, "image": ""} for container in stable
        ]


def test_a_canary_passes_strict_validation(canary: tuple[Manifest, ...]) -> None:
    assert errors(of(canary, "InferenceService"), minors()[-1]) == []
    assert not [manifest for manifest in canary if manifest.identity.name == "canary"]


def test_the_runtime_and_its_example_pass_strict_validation() -> None:
    (example,) = parse((FOLDER / "runtime" / "example.yaml").read_text())
    (runtime,) = parse(render(FOLDER / "runtime"))
    assert errors(runtime, minors()[-1]) == []
    # The rest of the pod is the runtime's.
    assert errors(example, minors()[-1]) == ["spec/predictor: : 'containers' is a required property"]


def test_the_example_asks_for_the_runtime_that_there_is() -> None:
    runtime = of(parse(render(FOLDER / "runtime")), "ClusterServingRuntime")
    model = predictor(parse((FOLDER / "runtime" / "example.yaml").read_text()))["model"]
    formats = {one["name"] for one in runtime.body["spec"]["supportedModelFormats"]}
    assert model["runtime"] == runtime.identity.name
    assert model["modelFormat"]["name"] in formats
