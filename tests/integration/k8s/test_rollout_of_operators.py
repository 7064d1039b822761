"""`k8s rollout` of what an operator rolls out: an Argo Rollout, a KServe InferenceService, with the numbers that those write."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.api_server import operators, shapes
from tests.fakes.api_server.server import FakeApiServer
from tests.integration.k8s.conftest import Ask
from tests.integration.k8s.followed import PATIENCE_SECONDS, followed

INFERENCE = ("rollout", "inferenceservice/slipway")
NEW = "registry.example/slipway@sha256:" + "b" * 64


@pytest.mark.parametrize(
    ("item", "code", "words"),
    [
        (operators.rollout("Healthy"), 0, "Healthy"),
        (
            operators.rollout("Degraded", "RolloutAborted: metric success-rate assessed Failed"),
            1,
            "success-rate assessed Failed",
        ),
        (operators.rollout("Paused", "CanaryPauseStep"), 1, "Paused: CanaryPauseStep"),
    ],
)
def test_a_rollout_of_argo_is_followed_by_its_phase(
    api: FakeApiServer, ask: Ask, item: shapes.Json, code: int, words: str
) -> None:
    api.add(item, operators.template_of_rollout(), shapes.pod())
    result = ask("rollout", "rollout/slipway", "--timeout", 0.2)
    assert result.code == code
    assert words in str(result.report["findings"])


@pytest.mark.parametrize(("noted", "worked_on"), [(8, 8), (9, 8)], ids=["not noticed", "not worked on"])
def test_healthy_is_said_of_the_old_template_until_the_new_one_is_seen(
    api: FakeApiServer, ask: Ask, noted: int, worked_on: int
) -> None:
    """The generation of the Rollout itself does not move when the Deployment changes."""
    api.add(operators.rollout("Healthy", noted=noted, worked_on=worked_on))
    api.add(operators.template_of_rollout(generation=9), shapes.pod())
    late = ask("rollout", "--timeout", 0.2)
    assert late.code == 1
    assert "the change of deployment/slipway has not been seen yet" in late.findings()[0]


def test_a_change_of_the_template_is_followed_to_its_end(api: FakeApiServer, ask: Ask) -> None:
    api.add(operators.rollout("Healthy", noted=8, worked_on=8), operators.template_of_rollout(generation=8))
    with followed(ask, "--image", NEW) as result:
        api.wait_for_streams("deployments")
        api.add(operators.template_of_rollout(generation=9, image=NEW))
        api.add(operators.rollout("Healthy", noted=9, worked_on=8))
        api.add(operators.rollout("Progressing", "more replicas need to be updated", noted=9, worked_on=9))
        assert not result.done()
        api.add(operators.rollout("Healthy", noted=9, worked_on=9))
        assert result.result(PATIENCE_SECONDS).code == 0


def test_a_rollout_without_its_deployment_has_nothing_to_roll_out(api: FakeApiServer, ask: Ask) -> None:
    api.add(operators.rollout("Healthy"))
    late = ask("rollout", "--timeout", 0.2)
    assert "there is no deployment/slipway" in late.findings()[0]


def test_an_inference_service_is_followed_by_the_deployment_behind_it(api: FakeApiServer, ask: Ask) -> None:
    """It is ready all the while, because old pods answer, and its generation is below the one that it says it observed."""
    api.add(
        operators.inference_service("True", observed=9),
        operators.kept_deployment(observed=9, wanted=3, updated=1, available=3, total=4),
    )
    late = ask(*INFERENCE, "--timeout", 0.2)
    assert (late.code, "1 of 3 new" in late.findings()[0]) == (1, True)
    api.add(operators.kept_deployment(observed=9, wanted=3, updated=3, available=3))
    done = ask(*INFERENCE)
    assert (done.code, done.findings("ok")) == (
        0,
        ["rollout: 3 of 3 new, 3 available, ready at http://slipway-slipway-kserve.example"],
    )


def test_the_generation_that_an_inference_service_observed_is_not_its_own(
    api: FakeApiServer, ask: Ask
) -> None:
    api.add(operators.inference_service("True", observed=1), operators.kept_deployment())
    assert ask(*INFERENCE).code == 0


@pytest.mark.parametrize(
    "changed", [{"image": NEW}, {"config_map": "slipway-settings-other"}], ids=["image", "settings"]
)
def test_an_inference_service_that_kserve_has_not_looked_at_is_not_done(
    api: FakeApiServer, ask: Ask, changed: dict[str, Any]
) -> None:
    api.add(operators.inference_service("True", **changed), operators.kept_deployment())
    late = ask(*INFERENCE, "--timeout", 0.2)
    assert (late.code, "deployment/slipway-predictor is not changed yet" in late.findings()[0]) == (1, True)
    api.add(operators.kept_deployment(**changed))
    assert ask(*INFERENCE).code == 0


def test_an_inference_service_has_to_be_of_the_image_that_is_waited_for(api: FakeApiServer, ask: Ask) -> None:
    api.add(operators.inference_service("True"), operators.kept_deployment())
    late = ask(*INFERENCE, "--timeout", 0.2, "--image", NEW)
    assert f"waiting for {NEW}" in late.findings()[0]
    assert ask(*INFERENCE, "--image", shapes.IMAGE).code == 0


def test_without_a_deployment_the_conditions_say_why(api: FakeApiServer, ask: Ask) -> None:
    api.add(operators.inference_service("False", reason="ReconcileFailed", message="no such runtime"))
    late = ask(*INFERENCE, "--timeout", 0.2)
    assert "PredictorReady: ReconcileFailed no such runtime" in late.findings()[0]


def test_the_pods_of_an_inference_service_are_named_as_the_cause(api: FakeApiServer, ask: Ask) -> None:
    labels = {operators.INFERENCE_LABEL: "slipway"}
    api.add(
        operators.inference_service("False", reason="MinimumReplicasUnavailable"),
        operators.kept_deployment(updated=2, available=0),
        shapes.pod(container=shapes.waiting("kserve-container", "ErrImagePull", "denied"), labels=labels),
    )
    late = ask(*INFERENCE, "--timeout", 0.2)
    assert "MinimumReplicasUnavailable" in late.findings()[0]
    assert "ErrImagePull: denied" in late.findings()[1]


@pytest.mark.parametrize(
    ("items", "words"),
    [
        ((operators.rollout("Healthy"), operators.template_of_rollout()), "rollout/slipway"),
        ((shapes.deployment(),), "deployment/slipway"),
        ((operators.inference_service("True"), operators.kept_deployment()), "inferenceservice/slipway"),
    ],
    ids=["rollout", "deployment", "inferenceservice"],
)
def test_whatever_runs_the_service_is_followed_unless_it_is_named(
    api: FakeApiServer, ask: Ask, items: tuple[shapes.Json, ...], words: str
) -> None:
    api.add(*items)
    result = ask("rollout", "--image", shapes.IMAGE)
    assert (result.code, result.report["subject"]) == (0, f"{words} in {shapes.NAMESPACE}")
