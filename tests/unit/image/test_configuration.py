"""An image that would run as root, or without the rules of production, fails its trial whatever else it answers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from deploy.image.configuration import ORIGIN, check_configuration
from deploy.image.trial import Report

GOOD: dict[str, Any] = {
    "User": "10034:10034",
    "Env": ["PATH=/usr/bin", "API_HOST=0.0.0.0"],
    "Labels": dict.fromkeys(ORIGIN, "something"),
}


def failures(**changes: object) -> list[str]:
    report = Report(image="slipway:1")
    check_configuration(report, json.dumps([{"Config": {**GOOD, **changes}}]))
    return [f"{check.what}: {check.found}" for check in report.failures]


def test_an_image_as_it_is_built_passes() -> None:
    assert failures() == []
    assert failures(User="10034") == []


@pytest.mark.parametrize("user", ["", None, "root", "0", "0:10034", "slipway", "10034:staff", "00"])
def test_a_user_that_may_be_root_fails(user: str | None) -> None:
    assert failures(User=user) == [f"its own user is a number, and not root: {user or 'root'}"]


@pytest.mark.parametrize(
    "entry", ["SLIPWAY_ENV=dev", "JWT_SECRET_KEY=x", "DATABASE_URL_FILE=/x", "SLIPWAY_ENV="]
)
def test_what_the_cluster_has_to_say_is_not_in_the_image(entry: str) -> None:
    (failure,) = failures(Env=["PATH=/usr/bin", entry])
    assert entry.partition("=")[0] in failure


@pytest.mark.parametrize("name", ORIGIN)
def test_an_image_of_unknown_origin_fails(name: str) -> None:
    (failure,) = failures(Labels={**GOOD["Labels"], name: ""})
    assert name in failure


def test_an_image_without_any_configuration_fails() -> None:
    assert len(failures(User=None, Env=None, Labels=None)) == 2
