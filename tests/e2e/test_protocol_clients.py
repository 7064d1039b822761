"""Clients that others wrote for the protocols, in environments of their own, over real HTTP against the served product."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from modelkit.definition import load_catalog
from tests.client_environments import run_suite
from tests.e2e.running_service import RunningService
from tests.e2e.tiny_service import tiny_service

MODELS = ("food-delivery", "housing", "iris")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    with tiny_service(tmp_path_factory.mktemp("served"), MODELS) as service:
        yield service


@pytest.fixture
def told(service: RunningService) -> dict[str, str]:
    """What a suite is told by its environment: an address, a token, and rows of each model."""
    catalog = load_catalog()
    rows = {name: [dict(example) for example in catalog[name].examples] for name in MODELS}
    return {
        "SLIPWAY_URL": service.url,
        "SLIPWAY_TOKEN": service.token("predict", "read"),
        "SLIPWAY_ROWS": json.dumps(rows),
    }


def test_the_client_of_triton_gets_what_the_native_route_answers(told: dict[str, str]) -> None:
    assert "all passed" in run_suite("triton", **told)


def test_the_client_of_kserve_and_a_transformer_in_front_get_it_too(told: dict[str, str]) -> None:
    assert "all passed" in run_suite("kserve", **told)


def test_requests_that_mlserver_encodes_are_answered_in_what_it_decodes(told: dict[str, str]) -> None:
    assert "all passed" in run_suite("mlserver", **told)
