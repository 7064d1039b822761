"""Every pod that Slipway would start meets the restricted standard, as far as a checker that agrees with its table can say."""

from __future__ import annotations

import pytest

from tests.manifests.pod_security import RULES, violations
from tests.manifests.pod_security_cases import FAIL, PASS, Case
from tests.manifests.pods import pods
from tests.manifests.rendering import components, on_base_objects, overlay, overlays


def judged(case: Case) -> list[str]:
    return violations(case.pod["spec"], case.pod["metadata"].get("annotations"))


@pytest.mark.parametrize("case", PASS, ids=str)
def test_a_restricted_pod_passes(case: Case) -> None:
    assert judged(case) == []


@pytest.mark.parametrize("case", FAIL, ids=str)
def test_a_pod_that_breaks_a_rule_is_refused_by_that_rule(case: Case) -> None:
    assert {found.split(":")[0] for found in judged(case)} == {case.rule, *case.also}


def test_every_rule_is_shown_to_pass_and_to_fail() -> None:
    assert {case.rule for case in FAIL} == set(RULES)
    assert {case.rule for case in PASS} | {"base", "allowPrivilegeEscalation"} == {*RULES, "base"}


@pytest.mark.parametrize("name", overlays())
def test_the_pods_of_an_overlay_are_restricted(name: str) -> None:
    assert [
        (str(pod), found) for pod in pods(overlay(name)) for found in violations(pod.spec, pod.annotations)
    ] == []


@pytest.mark.parametrize("name", components())
def test_the_pods_of_a_component_are_restricted(name: str) -> None:
    found = [
        (str(pod), what)
        for pod in pods(on_base_objects(name))
        for what in violations(pod.spec, pod.annotations)
    ]
    assert found == []
