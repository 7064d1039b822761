"""Prepared rows of basket and what the estimator makes of them: split by time, good with little and with much."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from catalog.basket.definition import DEFINITION
from catalog.basket.features import (
    ALWAYS,
    CUSTOMER,
    FEATURE_COLUMNS,
    MOMENT,
    OPTIONAL,
    RATIOS,
    build,
    customer_codes,
)
from catalog.basket.recipe import RAW_SCHEMAS, download, fitted_on, make_estimator, prepare, synthesise
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
    assert set(features) == set(FEATURE_COLUMNS) == {*ALWAYS, *RATIOS, *OPTIONAL, CUSTOMER}
    assert len(set(FEATURE_COLUMNS)) == len(FEATURE_COLUMNS)


def test_without_the_moment_no_feature_depends_on_it(prepared: tuple[pd.DataFrame, RowTally]) -> None:
    columns = dict(to_columns(prepared[0].head(50), DEFINITION.row))
    columns["ordered_at"] = np.full(50, np.datetime64("NaT"), dtype="datetime64[s]")
    features = build(columns)
    assert all(np.isnan(features[name]).all() for name in MOMENT)
    assert not np.isnan(features["median_value"]).any()


@pytest.mark.parametrize(
    ("ordered_at", "weekday", "hour"),
    [("2011-11-20T09:30", 6, 9.5), ("2011-11-21T18:00", 0, 18.0), ("2011-11-26T00:00", 5, 0.0)],
)
def test_monday_is_the_first_day_of_a_week(
    prepared: tuple[pd.DataFrame, RowTally], ordered_at: str, weekday: int, hour: float
) -> None:
    columns = dict(to_columns(prepared[0].head(1), DEFINITION.row))
    columns["ordered_at"] = np.array([ordered_at], dtype="datetime64[s]")
    features = build(columns)
    assert (features["order_weekday"][0], features["order_hour"][0]) == (weekday, pytest.approx(hour))


def test_who_orders_is_a_feature_only_where_the_history_is_not_known(
    prepared: tuple[pd.DataFrame, RowTally],
) -> None:
    columns = dict(to_columns(prepared[0].head(50), DEFINITION.row))
    assert np.isnan(build(columns)[CUSTOMER]).all()
    columns["basket_count"] = np.full(50, np.nan)
    codes = build(columns)[CUSTOMER]
    assert dict(zip(columns["user_id"], codes, strict=True)) == dict(
        zip(columns["user_id"], customer_codes(columns["user_id"]), strict=True)
    )
    assert len(set(codes)) == len(set(columns["user_id"]))


def test_a_code_survives_float32_whatever_the_name_looks_like() -> None:
    codes = customer_codes(np.array(["12347", "12348", "mädchen@example.org", "x" * 64], dtype=object))
    assert (codes == codes.astype(np.float32)).all()
    assert len(set(codes)) == 4


def built_of(prepared: tuple[pd.DataFrame, RowTally]) -> pd.DataFrame:
    features = pd.DataFrame(build(to_columns(prepared[0], DEFINITION.row)))
    return features.join(prepared[0][["label", "entity"]])


def test_a_model_learns_from_each_usual_row_and_again_from_what_callers_may_leave_of_it(
    prepared: tuple[pd.DataFrame, RowTally],
) -> None:
    built = built_of(prepared)
    once = KNOBS.train | {"copies": {"without_moment": 1, "remembered": 2, "new_customer": 3}}
    rows = fitted_on(built, once)
    usual = (built["label"] <= built["label"].quantile(KNOBS.train["usual_share"])).sum()
    bare = rows[list(OPTIONAL)].isna().all(axis=1)
    assert (~bare & rows[list(MOMENT)].isna().all(axis=1)).sum() == usual
    assert (bare & rows[CUSTOMER].notna()).sum() == -(-usual // 2)
    assert (bare & rows[CUSTOMER].isna()).sum() == -(-usual // 3)
    assert rows.loc[~bare, CUSTOMER].isna().all()
    assert not rows[list(ALWAYS)].isna().any(axis=None)


def test_a_customer_who_always_ordered_much_is_remembered_where_only_the_last_basket_is_known(
    prepared: tuple[pd.DataFrame, RowTally],
) -> None:
    built = built_of(prepared)
    worth = built.groupby("entity")["label"].agg(["count", "median"]).query("count >= 3")["median"]
    knobs = KNOBS.train | KNOBS.smoke
    model = make_estimator(knobs, 1)
    chosen = fitted_on(built, knobs)
    model.fit(chosen[list(FEATURE_COLUMNS)], chosen["label"])
    row = built.head(1).assign(**dict.fromkeys(OPTIONAL, np.nan))
    much, little, nobody = (
        model.predict(row.assign(**{CUSTOMER: code})[list(FEATURE_COLUMNS)])[0]
        for code in (*customer_codes(np.array([worth.idxmax(), worth.idxmin()], dtype=object)), 1.0)
    )
    assert little < nobody < much


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
