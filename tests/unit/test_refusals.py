"""A refused version is told once and tried again after ever longer pauses; what does not fit the code never is."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from modelkit.errors import ContractMismatch, CorruptServable
from serving.agent.refusals import FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, Refusals
from serving.agent.registry import RegisteredVersion

VERSION = RegisteredVersion(registry_name="Iris", version="3", run_id="run", digest="sha256:3")


class Time:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def refusals(time: Time) -> Refusals:
    return Refusals(time)


def test_it_is_told_once_and_tried_again_after_ever_longer_pauses(refusals: Refusals, time: Time) -> None:
    pauses, news = [], []
    for _ in range(8):
        news.append(refusals.add("iris", VERSION, CorruptServable("torn"))[1])
        began = time.now
        while refusals.standing("iris", VERSION):
            time.now += FIRST_PAUSE_SECONDS
        pauses.append(time.now - began)
    assert news == [True] + [False] * 7
    assert pauses == [min(FIRST_PAUSE_SECONDS * 2**turn, LONGEST_PAUSE_SECONDS) for turn in range(8)]


def test_another_reason_is_news(refusals: Refusals) -> None:
    refusals.add("iris", VERSION, CorruptServable("torn"))
    assert refusals.add("iris", VERSION, CorruptServable("gone")) == ("version 3 refused: gone", True)


def test_what_does_not_fit_this_image_never_will(refusals: Refusals, time: Time) -> None:
    refusals.add("iris", VERSION, ContractMismatch("another schema"))
    time.now += 100 * LONGEST_PAUSE_SECONDS
    assert refusals.standing("iris", VERSION) == "version 3 refused: another schema"


@pytest.mark.parametrize(
    "change",
    [{"digest": "sha256:4"}, {"signed": "since"}, {"version": "4"}],
    ids=lambda change: next(iter(change)),
)
def test_whatever_the_registry_says_anew_of_a_version_makes_it_another_one_to_try(
    refusals: Refusals, change: dict[str, Any]
) -> None:
    refusals.add("iris", VERSION, CorruptServable("torn"))
    assert refusals.standing("iris", dataclasses.replace(VERSION, **change)) == ""


def test_a_version_that_serves_after_all_begins_anew(refusals: Refusals, time: Time) -> None:
    refusals.add("iris", VERSION, CorruptServable("torn"))
    refusals.forget("iris", VERSION)
    assert refusals.add("iris", VERSION, CorruptServable("torn"))[1]
