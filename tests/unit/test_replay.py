"""Logged rows asked again: every row is accounted for, and one that fails does not take its neighbours along."""

from __future__ import annotations

import dataclasses
import math

import msgspec
import pytest

from modelkit.definition import load_catalog
from modelkit.runtime import CompiledModel
from modelkit.servable import Servable
from records.logged_predictions import LoggedPrediction
from records.withheld import EVERYTHING, MARKER
from tests.tiny_servables import CountedFeatures, loaded_tiny, tiny_graph
from training.promotion.replay import replay

FOOD = load_catalog()["food-delivery"]


@pytest.fixture(scope="module")
def servable(tmp_path_factory: pytest.TempPathFactory) -> Servable:
    return loaded_tiny(FOOD, tmp_path_factory.mktemp("tiny")).servable


def logged(*ages: float) -> list[LoggedPrediction]:
    return [
        LoggedPrediction(
            prediction_id=f"p-{number}",
            version="1",
            features={**FOOD.examples[0], "rider_age": age},
            predicted_value=0.0,
            prediction=None,
        )
        for number, age in enumerate(ages)
    ]


def test_every_row_is_asked_in_one_call(servable: Servable) -> None:
    build = CountedFeatures(FOOD)
    found = replay(dataclasses.replace(FOOD, build=build), servable, logged(20, 30, 40))
    assert build.calls == [3]
    assert (found.rows, len(found.differences), found.unanswerable) == (3, 3, ())


def test_a_row_that_feature_code_cannot_take_is_named_and_the_others_are_answered(servable: Servable) -> None:
    broken = dataclasses.replace(FOOD, build=CountedFeatures(FOOD, column="rider_age", poison=30))
    found = replay(broken, servable, logged(20, 30, 40))
    assert [row.prediction_id for row in found.unanswerable] == ["p-1"]
    assert {row.prediction_id for row in found.differences} == {"p-0", "p-2"}
    assert found.metrics["replay.unanswerable"] == 1


def test_an_answer_that_is_not_finite_is_no_answer(servable: Servable) -> None:
    endless = CompiledModel(tiny_graph(FOOD, bias=math.inf))
    found = replay(FOOD, msgspec.structs.replace(servable, compiled=endless), logged(20, 30))
    assert [row.reason for row in found.unanswerable] == ["no finite answer", "no finite answer"]
    assert found.sentence() == "replay: 2 logged requests, 2 cannot be answered"


def test_a_row_that_lacks_a_value_is_no_broken_promise(servable: Servable) -> None:
    whole, redacted, erased = logged(20, 30, 40)
    rows = [
        whole,
        dataclasses.replace(
            redacted, features={**redacted.features, "rider_age": None, MARKER: ["rider_age"]}
        ),
        dataclasses.replace(erased, features={MARKER: [EVERYTHING]}),
    ]
    found = replay(FOOD, servable, rows)
    assert (found.rows, found.withheld, len(found.differences), found.unanswerable) == (1, 2, 1, ())
    assert found.sentence().startswith("replay: 1 logged requests (2 redacted or erased), 0 cannot")
    assert replay(FOOD, servable, rows[1:]).sentence() == "replay: nothing logged yet (2 redacted or erased)"


def test_the_worst_rows_come_first(servable: Servable) -> None:
    rows = logged(20, 30, 40)
    answers = {row.prediction_id: row.after for row in replay(FOOD, servable, rows).differences}
    shifted = [
        dataclasses.replace(row, predicted_value=answers[row.prediction_id] + shift)  # type: ignore[operator]
        for row, shift in zip(rows, (0.0, 5.0, -2.0), strict=True)
    ]
    found = replay(FOOD, servable, shifted)
    assert [row.prediction_id for row in found.differences] == ["p-1", "p-2", "p-0"]
    assert found.metrics["replay.max_difference"] == pytest.approx(5)
