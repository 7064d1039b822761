"""The policy suite: every overlay is clean by every rule, and every rule catches the mutants that break it."""

from __future__ import annotations

import pytest

from tests.manifests.as_delivered import delivered
from tests.manifests.mutants import of_delivery, of_identity, of_objects, of_owners, of_pods, of_values
from tests.manifests.mutants.mutant import Mutant
from tests.manifests.policy.model import Rendered, Rule
from tests.manifests.policy.rulebook import (
    COMPANIES,
    DELIVERY,
    OF_A_PAIR,
    OF_A_RUNTIME,
    RULES,
    RUNTIME,
    rendered,
    shown,
)
from tests.manifests.rendering import components, on_base_objects, pairs

MUTANTS = (
    *of_pods.MUTANTS,
    *of_objects.MUTANTS,
    *of_delivery.MUTANTS,
    *of_values.MUTANTS,
    *of_owners.MUTANTS,
    *of_identity.MUTANTS,
)


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.name)
@pytest.mark.parametrize("name", shown())
def test_an_overlay_keeps_a_rule(name: str, rule: Rule) -> None:
    assert_clean(rule, name)


@pytest.mark.parametrize("rule", DELIVERY.values(), ids=lambda rule: rule.name)
def test_the_applications_keep_a_rule(rule: Rule) -> None:
    assert_clean(rule, "argocd")


@pytest.mark.parametrize("name", sorted(OF_A_RUNTIME))
def test_the_runtime_keeps_a_rule(name: str) -> None:
    assert_clean(RULES[name], RUNTIME)


@pytest.mark.parametrize("pair", pairs(), ids="+".join)
def test_components_that_meet_break_nothing_between_them(pair: tuple[str, str]) -> None:
    together = Rendered("dev", on_base_objects(*pair))
    assert [str(finding) for name in OF_A_PAIR for finding in RULES[name].findings(together)] == []


def assert_clean(rule: Rule, name: str) -> None:
    findings = [f"  {finding}" for finding in rule.findings(rendered(name))]
    assert not findings, "\n".join([f"{rule.name}: {rule.reason}", *findings])


def test_every_component_meets_every_rule_in_some_company() -> None:
    assert {name for company in COMPANIES.values() for name in company} >= set(components())


@pytest.mark.parametrize("mutant", MUTANTS, ids=str)
def test_a_mutant_is_caught_by_its_rule(mutant: Mutant) -> None:
    rule = {**RULES, **DELIVERY}[mutant.rule]
    assert rule.findings(delivered(mutant.of)) == []
    assert rule.findings(mutant.born(delivered(mutant.of))) != []


def test_every_rule_has_a_mutant() -> None:
    assert {mutant.rule for mutant in MUTANTS} == {*RULES, *DELIVERY}
    assert len(MUTANTS) >= 50


def test_every_rule_says_why() -> None:
    assert all(len(rule.reason) > 30 for rule in (*RULES.values(), *DELIVERY.values()))
