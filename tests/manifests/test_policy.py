"""The policy suite: every overlay is clean by every rule, and every rule catches the mutants that break it."""

from __future__ import annotations

import pytest

from tests.manifests.policy.model import Rendered, Rule
from tests.manifests.policy.rulebook import RULES
from tests.manifests.rendering import overlay, overlays


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.name)
@pytest.mark.parametrize("name", overlays())
def test_an_overlay_keeps_a_rule(name: str, rule: Rule) -> None:
    findings = [f"  {finding}" for finding in rule.findings(Rendered(name, overlay(name)))]
    assert not findings, "\n".join([f"{rule.name}: {rule.reason}", *findings])
