"""A candidate and the champion are compared on rows that neither model has learned from, or not at all."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from modelkit.columns import feature_matrix
from modelkit.definition import load_catalog
from modelkit.gates import judge
from modelkit.rows import RowReader
from modelkit.runtime import CompiledModel
from tests.tiny_servables import tiny_graph
from tests.tiny_versions import Past, TinyVersions
from training.promotion.champion import METRIC, Comparison, compare
from training.registry import Registry
from training.version import Version

FOOD = load_catalog()["food-delivery"]
ROWS = 40

pytestmark = pytest.mark.filterwarnings("ignore")  # MLflow's own


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """MLflow keeps artifacts of a SQLite registry below the current folder."""
    folder = tmp_path_factory.mktemp("registry")
    with contextlib.chdir(folder):
        yield folder


@pytest.fixture(scope="module")
def registry(folder: Path) -> Registry:
    return Registry(f"sqlite:///{folder / 'mlflow.db'}")


@pytest.fixture(scope="module")
def versions(registry: Registry, folder: Path) -> TinyVersions:
    return TinyVersions(FOOD, f"sqlite:///{folder / 'mlflow.db'}", folder)


def march_rows(*, timed: bool = True) -> pd.DataFrame:
    """Of ten days in March. Their truth is what a tiny model without bias answers: bias is error."""
    requests = [dict(FOOD.examples[index % len(FOOD.examples)]) for index in range(ROWS)]
    reader = RowReader(FOOD.row)
    features = FOOD.build(reader.columns([reader.from_object(request) for request in requests]))
    answers = CompiledModel(tiny_graph(FOOD)).run(feature_matrix(features, FOOD.feature_columns))
    days = pd.date_range("2022-03-10", "2022-03-19", periods=ROWS).astype("datetime64[s]")
    frame = pd.DataFrame(
        [{name: request.get(name) for name in FOOD.row.model_fields} for request in requests]
    )
    return frame.astype(object).assign(label=answers[:, 0].astype(np.float64), time=days if timed else pd.NaT)


NEW = Past(trained_until="2022-03-19T00:00:00", evaluated_until="2022-03-02T00:00:00")


def compared(registry: Registry, candidate: Version, champion: Version) -> Comparison:
    return compare(FOOD, registry, candidate=candidate, champion=champion)


def passes(comparison: Comparison) -> bool:
    assert comparison.gate is not None
    [result] = judge([comparison.gate], comparison.metrics)
    return result.passed


def test_a_champion_whose_data_ended_before_the_test_rows_is_judged_as_it_serves(
    registry: Registry, versions: TinyVersions
) -> None:
    """Its evaluation model (bias 9) has no part in it."""
    old = Past(trained_until="2022-03-09T00:00:00", evaluated_until="2022-02-20T00:00:00", bias=9.0)
    champion = versions.make(bias=2.0, past=old)
    worse, better = (versions.make(bias=bias, test_rows=march_rows(), past=NEW) for bias in (3.0, 1.0))
    found = compared(registry, worse, champion)
    assert found.metrics["champion.theirs"] == pytest.approx(2, abs=1e-4)
    assert found.metrics[METRIC] == pytest.approx(1, abs=1e-4)
    assert not passes(found)
    assert passes(compared(registry, better, champion))


def test_a_champion_that_learned_from_the_test_rows_is_not_judged_on_them(
    registry: Registry, versions: TinyVersions
) -> None:
    """What serves knows the truth of every row (bias 0); its evaluation model does not, and is the one that counts."""
    knowing = Past(trained_until="2022-03-19T00:00:00", evaluated_until="2022-03-02T00:00:00", bias=2.0)
    champion = versions.make(bias=0.0, past=knowing)
    candidate = versions.make(bias=0.0, test_rows=march_rows(), past=Past(**vars(NEW) | {"bias": 1.5}))
    found = compared(registry, candidate, champion)
    assert found.metrics["champion.theirs"] == pytest.approx(2, abs=1e-4)
    assert found.metrics["champion.ours"] == pytest.approx(1.5, abs=1e-4)
    assert passes(found)
    assert "by its evaluation model" in found.note


def test_only_rows_after_what_the_champions_evaluation_model_knows_count(
    registry: Registry, versions: TinyVersions
) -> None:
    champion = versions.make(
        past=Past(trained_until="2022-03-19T00:00:00", evaluated_until="2022-03-11T00:00:00")
    )
    rows = march_rows()
    candidate = versions.make(test_rows=rows, past=NEW)
    later = int((rows["time"] > pd.Timestamp("2022-03-11")).sum())
    assert f"{later} rows" in compared(registry, candidate, champion).note


def test_where_the_champion_knows_nearly_every_row_nothing_is_compared_and_it_is_said(
    registry: Registry, versions: TinyVersions
) -> None:
    champion = versions.make(
        past=Past(trained_until="2022-03-19T00:00:00", evaluated_until="2022-03-18T00:00:00")
    )
    found = compared(registry, versions.make(bias=50.0, test_rows=march_rows(), past=NEW), champion)
    assert found.gate is None
    assert f"NOT COMPARED with version {champion.number}: its evaluation model knows all but" in found.note


def test_without_time_versions_of_equal_data_are_compared_by_their_evaluation_models(
    registry: Registry, versions: TinyVersions
) -> None:
    champion = versions.make(bias=0.0, past=Past(data_hash="same", bias=2.0))
    rows = march_rows(timed=False)
    better, worse = (
        versions.make(bias=0.0, test_rows=rows, past=Past(data_hash="same", bias=bias)) for bias in (1.0, 3.0)
    )
    assert passes(compared(registry, better, champion))
    assert not passes(compared(registry, worse, champion))


def test_without_time_versions_of_other_data_are_not_compared_and_it_is_said(
    registry: Registry, versions: TinyVersions
) -> None:
    champion = versions.make(past=Past(data_hash="old"))
    candidate = versions.make(test_rows=march_rows(timed=False), past=Past(data_hash="new"))
    found = compared(registry, candidate, champion)
    assert (found.gate, found.metrics) == (None, {})
    assert f"NOT COMPARED with version {champion.number}: rows have no time" in found.note


def test_a_champion_without_an_evaluation_model_is_not_compared_and_it_is_said(
    registry: Registry, versions: TinyVersions
) -> None:
    champion = versions.make(past=Past(evaluated=False))
    found = compared(registry, versions.make(test_rows=march_rows(timed=False)), champion)
    assert "was registered without evaluation/model.onnx" in found.note
