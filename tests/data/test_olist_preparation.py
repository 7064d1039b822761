"""Prepared rows of the two Olist models: split by time, honest about what was known when, no row lost in silence."""

from __future__ import annotations

import os
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest

from catalog._olist.recipe import RAW_SCHEMAS, synthesise
from catalog._olist.recipe.download import POINTS, download
from catalog._olist.recipe.raw import ITEMS, ORDERS, PLACES, RAW_FILES
from catalog.olist_delivery import recipe as olist
from catalog.olist_delivery.definition import DEFINITION as OLIST
from catalog.order_delivery import recipe as order
from catalog.order_delivery.definition import DEFINITION as ORDER
from modelkit.definition import ModelDefinition
from modelkit.tally import RowTally
from tests.olist_tables import synthetic_tables
from training.fitting.cuts import evaluation_cut, final_cut
from training.frames import check_prepared, to_columns
from training.params import read_params
from training.validation.raw import check_raw

MODELS: list[tuple[ModelDefinition, Any]] = [(OLIST, olist), (ORDER, order)]
AFTER_PURCHASE = ("order_approved_at", "order_delivered_carrier_date")
both = pytest.mark.parametrize(("definition", "recipe"), MODELS, ids=["olist", "order"])


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return synthetic_tables(tmp_path_factory.mktemp("raw"), synthesise(11))


@pytest.fixture(scope="module")
def prepared(raw: Path) -> dict[str, tuple[pd.DataFrame, RowTally]]:
    return {d.name: recipe.prepare(raw, read_params(d.name).prepare) for d, recipe in MODELS}


def rewritten(raw: Path, folder: Path, name: str, frame: pd.DataFrame) -> Path:
    for file in RAW_FILES:
        (folder / file).write_bytes((raw / file).read_bytes())
    frame.to_csv(folder / name, index=False)
    return folder


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others() -> None:
    first = synthesise(3)
    assert synthesise(3) == first
    assert synthesise(4)[ORDERS] != first[ORDERS]


def test_the_synthetic_tables_have_the_dirt_of_the_real_ones(
    prepared: dict[str, tuple[pd.DataFrame, RowTally]],
) -> None:
    _, tally = prepared[OLIST.name]
    assert set(tally.dropped) == {
        "not delivered",
        "delivered, but no date of delivery",
        "took over 60 days, not trained on",
    }
    assert set(tally.repaired) == {
        "customer's prefix has no place, middle of the city",
        "customer's prefix has no place, middle of the state",
        "hand-over before purchase or after delivery, not used",
        "no items or unknown seller, the most common prefix",
        "prefix placed outside Brazil, not used",
        "volume_cm3 missing or 0, blank",
        "weight_g missing or 0, blank",
    }


@both
def test_no_row_is_lost_without_a_reason(
    definition: ModelDefinition, recipe: ModuleType, prepared: dict[str, tuple[pd.DataFrame, RowTally]]
) -> None:
    rows, tally = prepared[definition.name]
    check_prepared(rows, definition.row)
    assert len(rows) == tally.used


@both
def test_every_delivered_order_is_labelled_outlier_or_not(
    definition: ModelDefinition, recipe: Any, raw: Path, prepared: dict[str, tuple[pd.DataFrame, RowTally]]
) -> None:
    rows, tally = recipe.labelled(raw)
    orders = pd.read_csv(raw / ORDERS, dtype=str)
    delivered = orders[orders["order_status"] == "delivered"]["order_delivered_customer_date"]
    assert len(rows) == delivered.notna().sum() == tally.used
    outliers = prepared[definition.name][1].dropped["took over 60 days, not trained on"]
    assert len(rows) - len(prepared[definition.name][0]) == outliers > 0


@both
def test_the_split_follows_time_and_only_training_loses_outliers(
    definition: ModelDefinition, recipe: ModuleType, prepared: dict[str, tuple[pd.DataFrame, RowTally]]
) -> None:
    rows, _ = prepared[definition.name]
    times = rows.groupby("split")["time"]
    assert times.max()["train"] < times.min()["valid"] <= times.max()["valid"] < times.min()["test"]
    waits = (rows["known_at"] - rows["time"]).groupby(rows["split"]).max()
    assert waits["train"] <= pd.Timedelta(days=60)


@both
def test_no_label_trains_before_the_parcel_arrived(
    definition: ModelDefinition, recipe: ModuleType, prepared: dict[str, tuple[pd.DataFrame, RowTally]]
) -> None:
    rows, _ = prepared[definition.name]
    for cut in (evaluation_cut(rows), final_cut(rows)):
        assert (rows.loc[cut.rows, "known_at"] <= cut.now).all()
    on_their_way = (rows["split"] == "train").to_numpy() & ~evaluation_cut(rows).rows
    assert on_their_way.sum() > 20


@both
def test_what_happens_after_the_purchase_is_in_no_field(
    definition: ModelDefinition, recipe: Any, raw: Path, tmp_path: Path
) -> None:
    """Approval and hand-over are changed at will, deliveries take twice as long: no field of a row may notice."""
    orders = pd.read_csv(raw / ORDERS, dtype=str)
    bought = pd.to_datetime(orders["order_purchase_timestamp"])
    arrived = pd.to_datetime(orders["order_delivered_customer_date"])
    later = orders.assign(order_delivered_customer_date=(arrived + (arrived - bought)).astype(str))
    later = later.assign(**dict.fromkeys(AFTER_PURCHASE, "2018-12-31 00:00:00")).replace("NaT", "")
    fields = list(definition.row.model_fields)
    before, _ = recipe.labelled(raw)
    after, _ = recipe.labelled(rewritten(raw, tmp_path, ORDERS, later))
    pd.testing.assert_frame_equal(before[fields], after[fields])
    assert (after["label"] > before["label"]).all()


@both
def test_later_orders_change_nothing_about_earlier_ones(
    definition: ModelDefinition, recipe: Any, raw: Path, tmp_path: Path
) -> None:
    orders = pd.read_csv(raw / ORDERS, dtype=str, keep_default_na=False)
    early = orders[orders["order_purchase_timestamp"] < "2018-01-01"]
    fields = [*definition.row.model_fields, "label"]
    everything, _ = recipe.labelled(raw)
    alone, _ = recipe.labelled(rewritten(raw, tmp_path, ORDERS, early))
    pd.testing.assert_frame_equal(alone[fields], everything[fields].iloc[: len(alone)])


def test_both_models_learn_from_the_same_orders(
    prepared: dict[str, tuple[pd.DataFrame, RowTally]],
) -> None:
    days, minutes = prepared[OLIST.name][0], prepared[ORDER.name][0]
    assert np.allclose(days["label"] * 1440, minutes["label"])
    columns = ["time", "known_at", "entity", "split"]
    pd.testing.assert_frame_equal(days[columns], minutes[columns])


def test_one_order_has_the_same_distance_in_both_models(
    prepared: dict[str, tuple[pd.DataFrame, RowTally]],
) -> None:
    """The request of one names two places, that of the other the way between them."""
    features = OLIST.build(to_columns(prepared[OLIST.name][0], OLIST.row))
    given = prepared[ORDER.name][0]["distance_km"].to_numpy()
    known = ~np.isnan(given)
    assert np.abs(features["distance_km"] - given)[known].max() < 0.02 * np.nanmax(given)


def test_the_published_tables_become_the_raw_files(raw: Path, tmp_path: Path) -> None:
    for name in RAW_FILES:
        table = pd.read_csv(raw / name, dtype=str, keep_default_na=False)
        table.to_csv(tmp_path / name.removesuffix(".gz"), index=False, encoding="utf-8-sig")
    points = pd.read_csv(raw / PLACES, dtype=str)
    pd.concat([points] * 3).to_csv(tmp_path / POINTS, index=False)
    found = synthetic_tables(tmp_path, download(lambda _: tmp_path))
    assert pd.read_csv(found / PLACES)["geolocation_zip_code_prefix"].is_unique
    pd.testing.assert_frame_equal(olist.labelled(found)[0], olist.labelled(raw)[0])
    assert pd.read_csv(found / ITEMS).shape == pd.read_csv(raw / ITEMS).shape


@pytest.fixture
def given(raw: Path) -> Path:
    """The real tables where the environment names them, otherwise those of the generator."""
    folder = os.environ.get("SLIPWAY_RAW_DIR")
    return Path(folder) / olist.RAW_FOLDER if folder else raw


def test_given_tables_pass_every_check_and_make_valid_rows(given: Path) -> None:
    findings = check_raw(given, RAW_SCHEMAS)
    assert [finding.sentence() for finding in findings if not finding.passed] == []
    rows, tally = olist.prepare(given, read_params(OLIST.name).prepare)
    check_prepared(rows, OLIST.row)
    assert len(rows) == tally.used
