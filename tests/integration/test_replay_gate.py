"""Logged requests asked again before an alias moves: what is reported, what refuses, and going without."""

from __future__ import annotations

import dataclasses
import json

import msgspec
import pytest

from modelkit.definition import load_catalog
from modelkit.gates import Gate
from records.engine import open_engine
from records.ledger import history
from records.prediction_record import NO_PREDICTION
from tests.promotion_desk import Desk, answered
from training.errors import PromotionRefused, RecordsFailed
from training.promotion.alias_ledger import Move
from training.version import PRODUCTION

CATALOG = load_catalog()
FOOD, IRIS = CATALOG["food-delivery"], CATALOG["iris"]
MOVE = Move(alias=PRODUCTION, actor="ada", reason="because")

pytestmark = pytest.mark.filterwarnings("ignore")  # MLflow's own


def test_where_nothing_is_logged_the_replay_says_so_and_passes(desk: Desk) -> None:
    bounded = dataclasses.replace(
        FOOD, gates=(Gate(name="change", metric="replay.p95_difference", at_most=1.0),)
    )
    moved = desk.promoter(bounded).promote(MOVE, desk.versions(bounded).make(metrics={}).number)
    assert "replay: nothing logged yet" in moved.sentence(PRODUCTION)


def test_the_replay_reports_how_far_answers_move_and_names_the_worst_rows(desk: Desk) -> None:
    before = answered(FOOD)
    for number, (example, value) in enumerate(zip(FOOD.examples, before, strict=True)):
        desk.log(FOOD, *[dict(example)] * (number + 1), predicted_value=value)
    version = desk.versions(FOOD).make(bias=2.5)
    moved = desk.promoter(FOOD).promote(MOVE, version.number)
    said = "answers differ by 2.5 minutes on average, 2.5 at p95, 2.5 at most"
    assert said in moved.sentence(PRODUCTION)
    [entry] = history(desk.ledger, FOOD.name)
    assert entry.report is not None
    assert entry.report["replay"]["worst"][0]["prediction_id"].startswith("p-")
    kept = json.loads((desk.folder / "reports" / "verdict-food-delivery-1-production.json").read_text())
    assert kept["replay"] == entry.report["replay"]
    assert "| `p-0` |" in (desk.folder / "reports" / "verdict-food-delivery-1-production.md").read_text()


def test_a_logged_request_that_can_no_longer_be_answered_is_a_refusal(desk: Desk) -> None:
    desk.log(FOOD, dict(FOOD.examples[0]), {**FOOD.examples[0], "gone": 1})
    version = desk.versions(FOOD).make()
    with pytest.raises(PromotionRefused, match=r"replay: replay\.unanswerable = 1"):
        desk.promoter(FOOD).promote(MOVE, version.number)
    report = (desk.folder / "reports" / "verdict-food-delivery-1-production.md").read_text()
    assert "`p-1`: no longer a valid row: Object contains unknown field `gone`" in report


def test_a_definition_may_bound_how_far_answers_move(desk: Desk) -> None:
    bounded = dataclasses.replace(
        FOOD, gates=(Gate(name="change", metric="replay.p95_difference", at_most=1.0),)
    )
    desk.log(bounded, dict(FOOD.examples[0]), predicted_value=answered(FOOD)[0])
    versions, promoter = desk.versions(bounded), desk.promoter(bounded)
    with pytest.raises(PromotionRefused, match=r"change: replay\.p95_difference = 3"):
        promoter.promote(MOVE, versions.make(bias=3.0).number)
    promoter.promote(MOVE, versions.make(bias=0.5).number)


def test_the_replay_of_a_classifier_counts_changed_classes(desk: Desk) -> None:
    said = {"prediction": "versicolor", "probabilities": dict.fromkeys(IRIS.classes, 1 / 3)}
    desk.log(
        IRIS,
        dict(IRIS.examples[0]),
        predicted_value=None,
        prediction=msgspec.Raw(msgspec.json.encode(said)),
    )
    version = desk.versions(IRIS).make(bias=60.0)
    moved = desk.promoter(IRIS).promote(MOVE, version.number)
    assert "100.0% of the classes change" in moved.sentence(PRODUCTION)


def test_only_the_newest_answers_of_the_model_are_replayed(desk: Desk) -> None:
    desk.log(IRIS, dict(IRIS.examples[0]), prediction=NO_PREDICTION)
    desk.log(FOOD, {"gone": 1}, *(dict(FOOD.examples[0]) for _ in range(3)), request_id="old")
    version = desk.versions(FOOD).make()
    moved = desk.promoter(FOOD, replay_rows=2).promote(MOVE, version.number)
    assert "replay: 2 logged requests, 0 cannot be answered" in moved.sentence(PRODUCTION)


def test_a_log_that_cannot_be_read_is_a_refusal_and_going_without_is_on_the_record(desk: Desk) -> None:
    away = open_engine("postgresql://nobody@127.0.0.1:9/none")
    version = desk.versions(FOOD).make()
    with pytest.raises(RecordsFailed, match="prediction log cannot be read"):
        desk.promoter(FOOD, log=away).promote(MOVE, version.number)
    assert desk.holder(FOOD) is None
    desk.promoter(FOOD, log=away, replay_rows=None).promote(MOVE, version.number)
    [entry] = history(desk.ledger, FOOD.name)
    assert entry.report is not None
    assert entry.report["replay"] == {"sentence": "replay: left out on request", "left_out": True}
    away.dispose()
