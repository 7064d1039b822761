"""Prepared rows of housing, and a price level of the neighbourhood that never holds the row's own price."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import r2_score

from catalog.housing.definition import DEFINITION
from catalog.housing.recipe import (
    RAW_SCHEMAS,
    download,
    fitted_on,
    labelled,
    make_estimator,
    prepare,
    synthesise,
)
from catalog.housing.recipe.raw import FILE
from modelkit.tally import RowTally
from training.frames import check_prepared, to_columns
from training.params import read_params
from training.validation.raw import check_raw

KNOBS = read_params("housing")
SMALL: dict[str, Any] = KNOBS.train | KNOBS.smoke


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("raw")
    for name, content in synthesise(11).items():
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture(scope="module")
def prepared(raw: Path) -> tuple[pd.DataFrame, RowTally]:
    return prepare(raw, KNOBS.prepare)


def changed(raw: Path, folder: Path, cells: Mapping[tuple[int, str], object]) -> Path:
    """The raw file with some cells replaced, in another folder."""
    frame = pd.read_csv(raw / FILE, dtype=object)
    for (row, column), value in cells.items():
        frame.loc[row, column] = value
    frame.to_csv(folder / FILE, index=False)
    return folder


def test_prepared_rows_are_valid_requests(prepared: tuple[pd.DataFrame, RowTally]) -> None:
    check_prepared(prepared[0], DEFINITION.row)


def test_no_row_is_lost_without_a_reason(prepared: tuple[pd.DataFrame, RowTally]) -> None:
    rows, tally = prepared
    assert len(rows) == tally.used
    assert tally.repaired["average_bedrooms missing, left out of the request"] > 10
    assert tally.repaired["value at the census's cap, kept"] > 10


def test_no_row_stands_in_two_splits(prepared: tuple[pd.DataFrame, RowTally]) -> None:
    rows, _ = prepared
    assert not rows.drop(columns="split").duplicated().any()
    shares = rows["split"].value_counts(normalize=True)
    assert shares["test"] == pytest.approx(KNOBS.prepare["test_share"], abs=0.001)
    assert shares["valid"] == pytest.approx(KNOBS.prepare["valid_share"], abs=0.001)


def test_columns_are_those_of_the_scikit_learn_data_set(raw: Path) -> None:
    first = pd.read_csv(raw / FILE).iloc[0]
    row = labelled(raw)[0].iloc[0]
    assert row["average_rooms"] == first["total_rooms"] / first["households"]
    assert row["average_occupancy"] == first["population"] / first["households"]
    assert row["label"] == first["median_house_value"] / 100_000


def test_dropped_rows_are_counted_by_reason(raw: Path, tmp_path: Path) -> None:
    cells = {(0, "median_house_value"): "", (1, "households"): "0", (2, "latitude"): "51.5"}
    folder = changed(raw, tmp_path, cells)
    frame = pd.read_csv(folder / FILE, dtype=object)
    frame.loc[3] = frame.loc[4]
    frame.to_csv(folder / FILE, index=False)
    _, tally = prepare(folder, KNOBS.prepare)
    assert tally.dropped == {
        "no label": 1,
        "a required field is missing": 1,
        "not in California": 1,
        "duplicate row": 1,
    }


def test_a_place_of_unknown_kind_is_left_out_of_the_request(raw: Path, tmp_path: Path) -> None:
    rows, tally = labelled(changed(raw, tmp_path, {(0, "ocean_proximity"): "ON THE MOON"}))
    assert rows.loc[0, "ocean_proximity"] is None
    assert tally.repaired["ocean_proximity missing, left out of the request"] == 1


def test_the_synthetic_file_is_what_is_expected_of_the_real_one(raw: Path) -> None:
    assert all(finding.passed for finding in check_raw(raw, RAW_SCHEMAS))


def test_a_downloaded_file_is_the_raw_file(raw: Path, tmp_path: Path) -> None:
    pd.read_csv(raw / FILE).to_csv(tmp_path / "housing.csv", index=False)
    files = download(lambda data_set: tmp_path)
    (tmp_path / FILE).write_bytes(files[FILE])
    pd.testing.assert_frame_equal(labelled(tmp_path)[0], labelled(raw)[0])


def test_prices_that_mean_nothing_cannot_be_learned(prepared: tuple[pd.DataFrame, RowTally]) -> None:
    """Were a row's own price in the level of its neighbourhood, shuffled prices would seem to be explained."""
    rows, _ = prepared
    features = pd.DataFrame(dict(DEFINITION.build(to_columns(rows, DEFINITION.row))))
    shuffled = np.random.default_rng(3).permutation(rows["label"].to_numpy())
    test = (rows["split"] == "test").to_numpy()
    model = make_estimator(SMALL, seed=1).fit(features[~test], shuffled[~test])
    levels = model.named_steps["stack"].transform(features[~test])[:, : len(SMALL["levels"])]
    boosted = model.named_steps["stack"].final_estimator_.estimators_[0]
    assert r2_score(shuffled[test], model.predict(features[test])) < 0.05
    # In the rows of the fit the finished level does know the prices; the boosted trees were not taught to trust it.
    share = boosted.get_feature_importance()[: levels.shape[1]].sum() / 100
    assert r2_score(shuffled[~test], levels[:, 0]) > 0.1
    assert share < 0.5


def test_some_rows_are_learned_from_without_bedrooms_and_none_twice(
    prepared: tuple[pd.DataFrame, RowTally],
) -> None:
    rows, _ = prepared
    features = pd.DataFrame(dict(DEFINITION.build(to_columns(rows, DEFINITION.row)))).assign(
        label=rows["label"]
    )
    fitted = fitted_on(features, KNOBS.train)
    assert 0.08 < fitted["average_bedrooms"].isna().mean() < 0.14
    hidden = ["average_bedrooms", "bedroom_share"]
    pd.testing.assert_frame_equal(fitted.drop(columns=hidden), features.drop(columns=hidden))
