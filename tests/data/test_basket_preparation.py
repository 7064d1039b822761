"""Prepared rows of basket and what the estimator makes of them: split by time, good with little and with much."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from catalog.basket.definition import DEFINITION
from catalog.basket.features import ALWAYS, FEATURE_COLUMNS, MOMENT, OPTIONAL, RATIOS, build
from catalog.basket.recipe import RAW_SCHEMAS, download, fitted_on, prepare, synthesise
from catalog.basket.recipe.raw import COLUMNS, LINES, read_raw
from modelkit.tally import RowTally
from training.frames import to_columns
from training.params import read_params
from training.validation.raw import check_raw

KNOBS = read_params("basket")


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("raw")
    (folder / LINES).write_bytes(synthesise(11)[LINES])
    return folder


@pytest.fixture(scope="module")
def prepared(raw: Path) -> tuple[pd.DataFrame, RowTally]:
    return prepare(raw, KNOBS.prepare)


def test_the_split_follows_time(prepared: tuple[pd.DataFrame, RowTally]) -> None:
    times = prepared[0].groupby("split")["time"]
    first, last = times.min(), times.max()
    assert last["train"] < first["valid"] <= last["valid"] < first["test"]
    assert (last["test"].normalize() - first["test"].normalize()).days < KNOBS.prepare["test_days"]


def test_every_line_is_used_or_has_a_reason(prepared: tuple[pd.DataFrame, RowTally]) -> None:
    rows, tally = prepared
    assert tally.used == tally.read.total() - tally.dropped.total()
    assert len(rows) < tally.used


def test_the_value_of_a_basket_is_known_when_its_invoice_is_closed(
    prepared: tuple[pd.DataFrame, RowTally],
) -> None:
    rows, _ = prepared
    assert (rows["known_at"] >= rows["time"]).all()


def test_the_synthetic_file_is_as_expected_of_the_real_one(raw: Path) -> None:
    assert [finding.sentence() for finding in check_raw(raw, RAW_SCHEMAS) if not finding.passed] == []


def test_the_same_seed_gives_the_same_bytes() -> None:
    assert synthesise(3) == synthesise(3)


def test_every_feature_is_built_and_named_once(prepared: tuple[pd.DataFrame, RowTally]) -> None:
    features = build(to_columns(prepared[0].head(50), DEFINITION.row))
    assert set(features) == set(FEATURE_COLUMNS) == {*ALWAYS, *RATIOS, *OPTIONAL}
    assert len(set(FEATURE_COLUMNS)) == len(FEATURE_COLUMNS)


def test_without_the_moment_no_feature_depends_on_it(prepared: tuple[pd.DataFrame, RowTally]) -> None:
    columns = dict(to_columns(prepared[0].head(50), DEFINITION.row))
    columns["ordered_at"] = np.full(50, np.datetime64("NaT"), dtype="datetime64[s]")
    features = build(columns)
    assert all(np.isnan(features[name]).all() for name in MOMENT)
    assert not np.isnan(features["median_value"]).any()


def test_a_model_learns_from_each_usual_row_with_all_some_and_no_optional_features(
    prepared: tuple[pd.DataFrame, RowTally],
) -> None:
    built = pd.DataFrame(build(to_columns(prepared[0], DEFINITION.row))).assign(label=prepared[0]["label"])
    rows = fitted_on(built, KNOBS.train)
    usual = (built["label"] <= built["label"].quantile(KNOBS.train["usual_share"])).sum()
    assert len(rows) == 3 * usual
    assert rows[list(OPTIONAL)].isna().all(axis=1).sum() == usual
    assert rows[list(MOMENT)].isna().all(axis=1).sum() == 2 * usual
    assert not rows[list(ALWAYS)].isna().any(axis=None)


def test_kaggles_spelling_becomes_that_of_the_raw_file(tmp_path: Path) -> None:
    row = {name: "x" for name in COLUMNS} | {"InvoiceDate": "12/1/2010 8:26", "CustomerID": "17850.0"}
    row |= {"Description": "CAFÉ", "Unasked": "y"}
    pd.DataFrame([row]).to_csv(tmp_path / "data.csv", index=False, encoding="ISO-8859-1")
    (tmp_path / LINES).write_bytes(download(lambda _: tmp_path)[LINES])
    found = read_raw(tmp_path / LINES).to_dict("records")[0]
    assert (found["InvoiceDate"], found["CustomerID"], found["Description"]) == (
        "2010-12-01 08:26:00",
        "17850",
        "CAFÉ",
    )
    assert gzip.decompress((tmp_path / LINES).read_bytes()).decode().startswith(",".join(COLUMNS))
