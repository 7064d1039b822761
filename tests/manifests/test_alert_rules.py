"""Every alert fires when it should and only then, by Prometheus' own engine; and tells whoever is woken what to do."""

from __future__ import annotations

import pytest

from deploy.errors import DeliveryError
from deploy.manifests.alert_mutants import AlertMutant, alert_mutants
from deploy.manifests.alert_rules import covered, judge, rule_file
from deploy.manifests.kustomize import ROOT
from tests.manifests.policy.telemetry import alerts
from tests.manifests.rendering import on_base_objects, overlay

RULES = [manifest for manifest in on_base_objects("monitoring") if manifest.identity.kind == "PrometheusRule"]
COVERED = covered()
ALERTS = sorted({alert["alert"] for manifest in RULES for alert in alerts(manifest.body)})


def test_the_rules_pass_their_tests() -> None:
    assert "SUCCESS" in judge(rule_file(overlay("production")))


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_has_a_firing_and_a_silent_case(alert: str) -> None:
    assert COVERED.get(alert) == {True, False}


def test_no_test_speaks_of_an_alert_that_is_no_more() -> None:
    assert sorted(set(COVERED) - set(ALERTS)) == []


def test_every_runbook_belongs_to_an_alert() -> None:
    books = {path.stem for path in (ROOT / "docs" / "runbooks").glob("*.md")} - {"README"}
    assert books == set(ALERTS)


def test_a_broken_rule_is_refused() -> None:
    rules = rule_file(overlay("production"))
    with pytest.raises(DeliveryError, match="promtool check rules"):
        judge(rules.replace("expr: ", "expr: )", 1))


def test_a_rule_that_no_longer_fires_fails_its_test() -> None:
    rules = rule_file(RULES)
    with pytest.raises(DeliveryError, match="promtool test rules"):
        judge(rules.replace("severity: critical", "severity: warning"), named="slipway-targets.test.yaml")


# `python -m deploy rules --mutants` tries every mutant of every alert, which takes minutes; here a few of one.
BROKEN = list(alert_mutants([group for manifest in RULES for group in manifest.body["spec"]["groups"]]))


@pytest.mark.parametrize(
    "mutant",
    [m for m in BROKEN if m.alert == "SlipwayTargetMissing" and "any" not in m.what][:4],
    ids=lambda m: m.what,
)
def test_a_broken_alert_is_noticed_by_its_tests(mutant: AlertMutant) -> None:
    assert not mutant.survives()


def test_every_alert_can_be_broken_in_several_ways() -> None:
    assert all(sum(mutant.alert == alert for mutant in BROKEN) >= 3 for alert in ALERTS)
