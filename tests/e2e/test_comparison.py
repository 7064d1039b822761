"""Comparing two versions from end to end: an alias makes a challenger, callers are split, rows are tried, reports read it all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import Any

import httpx
import pytest
from mlflow import MlflowClient

from auth.keys import SecretKeys
from auth.tokens import TokenIssuer
from tests.architecture.source_tree import ROOT
from tests.e2e.conftest import StartService
from tests.e2e.logged_rows import wait_until_shipped
from tests.e2e.running_service import JWT_SECRET_KEY, RunningService
from tests.e2e.scraped import total
from tests.e2e.trained_registry import CATALOG
from tests.e2e.waiting import until

CALLERS = [f"caller-{number}" for number in range(200)]
FOOD = CATALOG["food-delivery"]
SECONDS = 20.0

pytestmark = pytest.mark.filterwarnings("ignore")  # MLflow's own


def token_of(subject: str) -> str:
    issuer = TokenIssuer(
        SecretKeys(JWT_SECRET_KEY, setting="KEY"),
        issuer="slipway",
        audience="slipway",
        ttl_seconds=600,
        clock=time.time,
    )
    return issuer.issue(subject=subject, scopes=frozenset({"predict", "read"})).access_token


def answering(service: RunningService) -> dict[str, str]:
    """The version that answers each caller."""
    found = {}
    with httpx.Client(base_url=service.url, timeout=10) as client:
        for caller in CALLERS:
            headers = {"authorization": f"Bearer {token_of(caller)}"}
            answer = client.post("/predict/food-delivery", json=FOOD.examples[0], headers=headers)
            assert answer.status_code == 200
            assert answer.headers["x-model-version"] == answer.json()["model_version"]
            found[caller] = answer.headers["x-model-version"]
    return found


def challenger(service: RunningService) -> dict[str, Any]:
    with service.client() as client:
        shown: dict[str, Any] = client.get("/models/food-delivery").json()["challenger"]
        return shown


def report(service: RunningService, name: str, *more: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "monitoring", name, "food-delivery", "--json", *more],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "DATABASE_URL": service.database_url},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.timeout(240)
def test_a_challenger_comes_is_compared_and_goes(start_service: StartService) -> None:
    service = start_service(AB_WEIGHTS="food-delivery=50", SHADOW_SAMPLES="food-delivery=100")
    service.wait_for_agent()
    assert set(answering(service).values()) == {"1"}, "no alias, no challenger"

    registry = MlflowClient(tracking_uri=service.tracking_uri, registry_uri=service.tracking_uri)
    registry.set_registered_model_alias(FOOD.registry_name, "challenger", "2")
    until(lambda: challenger(service)["state"] == "ready", seconds=SECONDS, what="the challenger is loaded")
    first = answering(service)
    assert set(first.values()) == {"1", "2"}

    service.stop()
    service.start()
    service.wait_until_ready()
    until(lambda: challenger(service)["state"] == "ready", seconds=SECONDS, what="it is loaded again")
    assert answering(service) == first, "a restart moves nobody"

    wait_until_shipped(service.spool)
    labels = {"model": "food-delivery", "version": "2", "result": "written"}
    until(
        lambda: total(service.agent_metrics_port, "slipway_shadow_comparisons_total", **labels) >= 60,
        seconds=SECONDS,
        what="rows are tried in the shadow",
    )
    split = report(service, "ab-report", "--weight", "50", "--production", "1", "--challenger", "2")
    assert split["enough"]
    assert not split["split"]["is_broken"]
    by_version = [list(first.values()).count(version) for version in "12"]
    assert [split[arm]["units"] for arm in ("production", "challenger")] == by_version
    shadow = report(service, "shadow-report")
    assert (shadow["production"], shadow["challenger"]) == ("1", "2")
    assert shadow["pairs"] >= 60
    assert shadow["production_latency_ms"] is not None
    assert shadow["worst"][0]["prediction_id"]

    registry.delete_registered_model_alias(FOOD.registry_name, "challenger")
    until(lambda: challenger(service)["state"] == "waiting", seconds=SECONDS, what="the challenger is gone")
    assert set(answering(service).values()) == {"1"}
