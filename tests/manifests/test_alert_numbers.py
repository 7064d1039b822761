"""Numbers that alerts repeat from elsewhere are still the same there."""

from __future__ import annotations

import re

import pytest

from serving.following_revocations import STALE_SECONDS
from serving.metrics import REQUEST_BUCKETS
from serving.settings import Settings
from tests.manifests.policy.model import Rendered
from tests.manifests.policy.telemetry import alerts
from tests.manifests.rendering import overlay, overlays


def expressions(name: str) -> dict[str, str]:
    rendered = Rendered(name, overlay(name))
    return {alert["alert"]: alert["expr"] for m in rendered.of("PrometheusRule") for alert in alerts(m.body)}


WATCHED = [name for name in overlays() if expressions(name)]


@pytest.mark.parametrize("name", WATCHED)
def test_the_alert_on_the_spool_knows_its_cap(name: str) -> None:
    cap = Rendered(name, overlay(name)).settings["SPOOL_LIMIT_BYTES"]
    assert set(re.findall(r"\d{6,}", expressions(name)["SlipwayLogBacklog"])) == {cap}


@pytest.mark.parametrize("name", WATCHED)
def test_the_alert_on_revocations_fires_when_administrators_are_refused(name: str) -> None:
    (bound,) = re.findall(r"> (\d+)$", expressions(name)["SlipwayRevocationsStale"].strip())
    assert float(bound) == STALE_SECONDS


@pytest.mark.parametrize("name", WATCHED)
def test_the_alert_on_keys_leaves_a_provider_a_dozen_questions(name: str) -> None:
    (bound,) = re.findall(r"age_seconds\) > (\d+)", expressions(name)["SlipwayIssuerKeysStale"])
    assert float(bound) >= 12 * Settings.model_fields["jwks_refresh_seconds"].default


@pytest.mark.parametrize("name", WATCHED)
def test_the_bound_of_slow_is_a_bucket(name: str) -> None:
    bounds = re.findall(r'le="([\d.]+)"', expressions(name)["SlipwaySlow"])
    assert bounds
    assert {float(bound) for bound in bounds} <= set(REQUEST_BUCKETS)
