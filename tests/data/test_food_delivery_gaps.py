"""Rows that food-delivery is fitted on: all of them, and some again as a caller sends them who knows less."""

from __future__ import annotations

import pandas as pd
import pytest

from catalog.food_delivery.definition import DEFINITION
from catalog.food_delivery.recipe import fitted_on, prepare, synthesise
from training.frames import RESERVED, to_columns
from training.params import read_params

KNOBS = read_params("food-delivery")
RIDER = ["rider_age", "rider_rating"]


@pytest.fixture(scope="module")
def features(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    raw = tmp_path_factory.mktemp("raw")
    for name, content in synthesise(11).items():
        (raw / name).write_bytes(content)
    rows, _ = prepare(raw, KNOBS.prepare)
    built = pd.DataFrame(dict(DEFINITION.build(to_columns(rows, DEFINITION.row))))
    return built.join(rows[["label", "time", "known_at", "split"]])


@pytest.fixture(scope="module")
def copies(features: pd.DataFrame) -> pd.DataFrame:
    return fitted_on(features, KNOBS.train).iloc[len(features) :]


def test_every_row_is_kept_as_it_was(features: pd.DataFrame) -> None:
    fitted = fitted_on(features, KNOBS.train)
    pd.testing.assert_frame_equal(fitted.iloc[: len(features)], features)


def test_copies_lack_something_and_keep_their_label(copies: pd.DataFrame, features: pd.DataFrame) -> None:
    assert 0.05 < len(copies) / len(features) < KNOBS.train["gap_share"]
    assert 0.5 < copies[RIDER].isna().all(axis=1).mean() < 0.9
    assert 0.3 < copies["weather"].isna().mean() < 0.6
    assert 0.2 < copies["road_traffic"].isna().mean() < 0.5
    keys = ["distance_km", "label"]
    known = copies.loc[copies["distance_km"].notna(), keys]
    assert known.merge(features[keys].drop_duplicates(), on=keys).shape[0] == len(known)


def test_some_copies_know_nothing_at_all(copies: pd.DataFrame) -> None:
    nothing = copies[list(DEFINITION.feature_columns)].isna().all(axis=1)
    assert 0.05 < nothing.mean() < 0.15


@pytest.mark.parametrize("name", ["multiple_deliveries", "festival", "city"])
def test_no_copy_lacks_only_what_tells_something_by_being_missing(
    copies: pd.DataFrame, features: pd.DataFrame, name: str
) -> None:
    """Real rows without a festival took 10 to 14 minutes: a copy of any other row would say otherwise."""
    lost = copies[copies[name].isna()]
    others = [column for column in DEFINITION.feature_columns if column != name]
    assert (lost[others].isna().sum(axis=1) >= 2).mean() > 0.9
    assert len(lost) > 0


def test_a_copy_is_known_no_earlier_than_its_row(features: pd.DataFrame) -> None:
    """Only rows of the cut come in, so only rows of the cut go out."""
    train = features[features["split"] == "train"]
    assert set(fitted_on(train, KNOBS.train)["split"]) == {"train"}


def test_the_same_seed_gives_the_same_copies(features: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(fitted_on(features, KNOBS.train), fitted_on(features, KNOBS.train))


def test_the_label_and_what_is_known_only_afterwards_are_no_features() -> None:
    assert not set(DEFINITION.feature_columns) & {*RESERVED, DEFINITION.target}
    assert not set(DEFINITION.request.model_fields) & {*RESERVED, DEFINITION.target}
