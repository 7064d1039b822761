"""Every kind of gate can fail, alone, in a real registry."""

from __future__ import annotations

import dataclasses

import pandas as pd
import pytest

from modelkit.definition import ModelDefinition, load_catalog
from modelkit.gates import Gate, judge
from records.ledger import history
from tests.promotion_desk import Desk, answered
from tests.tiny_versions import passing_metrics
from training.errors import PromotionRefused
from training.promotion.alias_ledger import Move
from training.version import PRODUCTION, STAGING

CATALOG = load_catalog()
FOOD, IRIS = CATALOG["food-delivery"], CATALOG["iris"]
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
