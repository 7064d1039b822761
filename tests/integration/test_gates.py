"""Every kind of gate can fail, alone, in a real registry; and what a replay of logged requests says of a version."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pandas as pd
import pytest
from sqlalchemy import Engine

from modelkit.definition import ModelDefinition, load_catalog
from modelkit.gates import Gate, judge
from records.engine import open_engine
from records.ledger import history
from records.prediction_log import insert_predictions
from records.prediction_record import NO_PREDICTION
from tests.prediction_records import made_record
from tests.tiny_versions import TinyVersions, passing_metrics
from training.alias_ledger import Move
from training.errors import PromotionRefused, RecordsFailed
from training.judging import Rules
from training.promote import Promoter
from training.registry import Registry
from training.version import PRODUCTION, STAGING, Version

CATALOG = load_catalog()
FOOD, IRIS = CATALOG["food-delivery"], CATALOG["iris"]
ROOT = Path(__file__).parents[2]
MOVE = Move(alias=PRODUCTION, actor="ada", reason="because")
KINDS = (
    Gate(name="explained variance", metric="overall.r2", at_least=0.7),
    Gate(name="accuracy", metric="overall.accuracy", at_least=0.9),
    Gate(name="mean error", metric="overall.mae", at_most=3.5),
    Gate(name="extreme error", metric="overall.p99_abs_error", at_most=14.0),
    Gate(name="worst slice", metric="worst_slice.mae", at_most=6.0),
    Gate(name="latency", metric="latency.p95_ms", at_most=1.0),
    Gate(name="compile parity", metric="parity.max_abs_difference", at_most=0.1),
    Gate(name="batch parity", metric="parity.batch_difference", at_most=0),
    Gate(name="interval coverage", metric="interval.coverage", at_least=0.87),
    Gate(name="size", metric="size.model_bytes", at_most=1000),
)
JUDGED = dataclasses.replace(FOOD, gates=KINDS)

pytestmark = pytest.mark.filterwarnings("ignore")  # MLflow's own


@dataclasses.dataclass(frozen=True)
class Desk:
    """A registry, a ledger with its prediction log, and a maker of versions."""

    uri: str
    ledger: Engine
    folder: Path

    @property
    def registry(self) -> Registry:
        return Registry(self.uri)

    def versions(self, definition: ModelDefinition) -> TinyVersions:
        return TinyVersions(definition, self.uri, self.folder)

    def promoter(self, definition: ModelDefinition, **rules: Any) -> Promoter:
        return Promoter(
            definition, self.registry, self.ledger, Rules(reports=self.folder / "reports", **rules)
        )

    def holder(self, definition: ModelDefinition, alias: str = PRODUCTION) -> str | None:
        found = self.registry.by_alias(definition.registry_name, alias)
        return found.number if found else None

    def log(self, definition: ModelDefinition, *features: dict[str, Any], **changes: Any) -> None:
        records = [
            made_record(
                f"p-{number}",
                model=definition.name,
                features=msgspec.Raw(msgspec.json.encode(row)),
                created_at=float(number),
                **changes,
            )
            for number, row in enumerate(features)
        ]
        with self.ledger.begin() as connection:
            insert_predictions(connection, records)


@pytest.fixture
def desk(mlflow_uri: str, sqlite_url: str, tmp_path: Path) -> Iterator[Desk]:
    ledger = open_engine(sqlite_url)
    yield Desk(mlflow_uri, ledger, tmp_path)
    ledger.dispose()


def answered(definition: ModelDefinition, *, bias: float = 0.0) -> list[float]:
    """What a tiny version of this bias says to the definition's examples."""
    from modelkit.columns import feature_matrix
    from modelkit.rows import RowReader
    from modelkit.runtime import CompiledModel
    from tests.tiny_servables import tiny_graph

    reader = RowReader(definition.row)
    rows = [reader.from_object(dict(example)) for example in definition.examples]
    matrix = feature_matrix(definition.build(reader.columns(rows)), definition.feature_columns)
    return [float(value) for value in CompiledModel(tiny_graph(definition, bias=bias)).run(matrix)[:, 0]]


@pytest.mark.parametrize("definition", CATALOG.values(), ids=CATALOG)
def test_each_gate_of_the_catalog_passes_on_its_limit_and_fails_alone_beyond_it(
    definition: ModelDefinition,
) -> None:
    passing = passing_metrics(definition)
    assert all(result.passed for result in judge(definition.gates, passing))
    for gate in definition.gates:
        beyond = passing[gate.metric] + (1 if gate.at_least is None else -1)
        failed = [
            result.gate
            for result in judge(definition.gates, passing | {gate.metric: beyond})
            if not result.passed
        ]
        assert failed == [gate.name]


def test_each_kind_of_gate_refuses_alone_and_moves_nothing(desk: Desk) -> None:
    versions = desk.versions(JUDGED)
    promoter = desk.promoter(JUDGED)
    passing = passing_metrics(JUDGED)
    for gate in KINDS:
        beyond = passing[gate.metric] + (1 if gate.at_least is None else -1)
        version = versions.make(metrics={gate.metric: beyond})
        with pytest.raises(PromotionRefused) as refused:
            promoter.promote(MOVE, version.number)
        assert f"{gate.name}: {gate.metric}" in str(refused.value)
        assert str(refused.value).count("FAILED") == 1
    assert desk.holder(JUDGED) is None
    assert history(desk.ledger, FOOD.name) == []
    assert promoter.promote(MOVE, versions.make().number).after.approved is False


def test_a_version_without_a_signature_is_refused(desk: Desk) -> None:
    version = desk.versions(FOOD).make(signed=False)
    with pytest.raises(PromotionRefused, match=r"signature: signature\.present = 0"):
        desk.promoter(FOOD).promote(MOVE, version.number)


def test_a_version_worse_than_the_one_that_serves_is_refused_for_every_alias(desk: Desk) -> None:
    rows = pd.DataFrame([IRIS.examples[0]]).assign(label=["setosa"])
    versions, promoter = desk.versions(IRIS), desk.promoter(IRIS)
    best = max((-4.0, 0.0, 4.0), key=lambda bias: probability_of_setosa(bias))
    promoter.promote(MOVE, versions.make(bias=best, test_rows=rows).number)
    worse = versions.make(bias=-best or -50.0, test_rows=rows)
    for alias in (PRODUCTION, STAGING, "challenger"):
        with pytest.raises(PromotionRefused, match=r"champion \(version 1\)"):
            promoter.promote(dataclasses.replace(MOVE, alias=alias), worse.number)


def probability_of_setosa(bias: float) -> float:
    return answered(IRIS, bias=bias)[0]


def test_production_may_be_reached_in_one_step_unless_staging_is_required(desk: Desk) -> None:
    versions = desk.versions(FOOD)
    first, second = versions.make(), versions.make()
    strict = desk.promoter(FOOD, require_staging=True)
    with pytest.raises(PromotionRefused, match="was in staging"):
        strict.promote(MOVE, first.number)
    strict.promote(dataclasses.replace(MOVE, alias=STAGING), first.number)
    strict.promote(dataclasses.replace(MOVE, alias=STAGING), second.number)
    strict.promote(MOVE, first.number)
    assert (desk.holder(FOOD), desk.holder(FOOD, STAGING)) == ("1", "2")


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


def test_a_rehearsal_judges_and_moves_nothing(desk: Desk) -> None:
    desk.versions(FOOD).candidate()
    assert "may go to production; nothing was moved" in desk.promoter(FOOD).rehearse(MOVE)
    assert desk.holder(FOOD) is None
    assert history(desk.ledger, FOOD.name) == []


def test_a_rollback_may_name_an_approved_version(desk: Desk) -> None:
    versions, promoter = desk.versions(FOOD), desk.promoter(FOOD)
    made = [versions.make() for _ in range(4)]
    for version in made[:3]:
        promoter.promote(MOVE, version.number)
    with pytest.raises(PromotionRefused, match="version 4 is no version to go back to"):
        promoter.rollback(MOVE, "4")
    assert promoter.rollback(MOVE, "1").after.number == desk.holder(FOOD) == "1"
    approved = [desk.registry.by_number(FOOD.registry_name, version.number).approved for version in made]
    assert approved == [True, True, False, False]


def test_a_promotion_that_loses_a_race_leaves_no_approval_behind(desk: Desk) -> None:
    versions = desk.versions(FOOD)
    slow, quick = versions.make(), versions.make()

    class Overtaken(Registry):
        """Somebody else promotes while this one is still being approved."""

        def approve(self, version: Version) -> None:
            super().approve(version)
            desk.promoter(FOOD).promote(MOVE, quick.number)

    with pytest.raises(PromotionRefused, match="another move came first"):
        Promoter(FOOD, Overtaken(desk.uri), desk.ledger).promote(MOVE, slow.number)
    assert desk.holder(FOOD) == quick.number
    assert not desk.registry.by_number(FOOD.registry_name, slow.number).approved


@pytest.mark.timeout(120)
def test_of_two_processes_that_promote_at_once_one_wins_and_it_is_the_one_in_the_ledger(
    mlflow_uri: str, engine: Engine, tmp_path: Path
) -> None:
    versions = TinyVersions(FOOD, mlflow_uri, tmp_path)
    movers = [versions.make().number for _ in range(2)]
    url = engine.url.render_as_string(hide_password=False)
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.alias_mover", mlflow_uri, url, number, str(tmp_path), "2"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in movers
    ]
    said = [process.communicate(timeout=90)[0] for process in running]
    assert sorted(said) == ["lost", "won"]
    winner = Registry(mlflow_uri).by_alias(FOOD.registry_name, PRODUCTION)
    assert winner is not None
    assert winner.number == movers[said.index("won")]
    assert [entry.to_version for entry in history(engine, FOOD.name)] == [winner.number]
