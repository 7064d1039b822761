"""Every kind of dirt in the Olist tables: repaired, blanked or dropped, and counted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from catalog._olist.recipe.orders import delivered_orders
from catalog._olist.recipe.raw import ITEMS, PLACES
from modelkit.tally import RowTally
from tests.olist_tables import POINTS, one_order

MIDDLE_OF_RIO_STATE = (-22.7, -43.15)


def read(raw: Path) -> tuple[list[dict[str, Any]], RowTally]:
    tally = RowTally()
    return [dict(row) for row in delivered_orders(raw, tally).to_dict("records")], tally


def test_a_clean_order_is_one_row_and_nothing_is_repaired(tmp_path: Path) -> None:
    [row], tally = read(one_order(tmp_path))
    assert row["days"] == pytest.approx(10.25)
    assert row["seller_zip_code_prefix"] == 1037
    assert (row["seller_lat"], row["customer_lat"]) == (-23.5, -22.9)
    assert (row["weight_g"], row["volume_cm3"], row["item_count"]) == (500, 2000, 1)
    assert tally.repaired.total() == tally.dropped.total() == 0


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"order_status": "canceled"}, "not delivered"),
        ({"order_delivered_customer_date": ""}, "delivered, but no date of delivery"),
        ({"order_delivered_customer_date": "2018-03-01 00:00:00"}, "delivered before it was bought"),
        ({"order_purchase_timestamp": "soon"}, "no time of purchase"),
    ],
)
def test_an_order_without_a_label_is_dropped_and_counted(
    tmp_path: Path, cells: dict[str, str], reason: str
) -> None:
    rows, tally = read(one_order(tmp_path, orders=cells))
    assert rows == []
    assert dict(tally.dropped) == {reason: 1}


@pytest.mark.parametrize(
    ("table", "cells", "field", "reason"),
    [
        ("products", {"product_weight_g": "0"}, "weight_g", "weight_g missing or 0, blank"),
        ("products", {"product_width_cm": ""}, "volume_cm3", "volume_cm3 missing or 0, blank"),
        (
            "items",
            {"shipping_limit_date": "2018-03-01 00:00:00"},
            "hand_over_by",
            "hand-over due before purchase, blanked",
        ),
        (
            "orders",
            {"order_estimated_delivery_date": "2018-03-01"},
            "promised_at",
            "promised before it was bought, blanked",
        ),
    ],
)
def test_a_value_that_cannot_be_is_blanked_and_counted(
    tmp_path: Path, table: str, cells: dict[str, str], field: str, reason: str
) -> None:
    [row], tally = read(one_order(tmp_path, **{table: cells}))
    assert pd.isna(row[field])
    assert dict(tally.repaired) == {reason: 1}


@pytest.mark.parametrize(
    ("cells", "place", "reason"),
    [
        (
            {"customer_zip_code_prefix": "25999", "customer_city": "petropolis"},
            (-22.5, -43.1),
            "customer's prefix has no place, middle of the city",
        ),
        (
            {"customer_zip_code_prefix": "29999", "customer_city": "nowhere"},
            MIDDLE_OF_RIO_STATE,
            "customer's prefix has no place, middle of the state",
        ),
        (
            {"customer_zip_code_prefix": "99999", "customer_city": "nowhere", "customer_state": "XX"},
            (-22.9, -43.2),
            "customer's place unknown, middle of the country",
        ),
    ],
)
def test_a_customer_without_a_place_gets_the_nearest_that_is_known(
    tmp_path: Path, cells: dict[str, str], place: tuple[float, float], reason: str
) -> None:
    [row], tally = read(one_order(tmp_path, customers=cells))
    assert (row["customer_lat"], row["customer_lng"]) == pytest.approx(place)
    assert dict(tally.repaired) == {reason: 1}


def test_a_prefix_outside_brazil_places_nobody(tmp_path: Path) -> None:
    raw = one_order(tmp_path)
    abroad = POINTS.assign(geolocation_lat=["-23.5", "41.1", "-22.5"])
    abroad.to_csv(raw / PLACES, index=False)
    [row], tally = read(raw)
    assert row["customer_lat"] == -22.5
    assert tally.repaired["prefix placed outside Brazil, not used"] == 1


def test_a_seller_without_a_place_keeps_the_prefix(tmp_path: Path) -> None:
    [row], _ = read(one_order(tmp_path, sellers={"seller_zip_code_prefix": "83252"}))
    assert row["seller_zip_code_prefix"] == 83252
    assert pd.isna(row["seller_lat"])


def test_an_order_that_lost_its_items_is_still_a_row(tmp_path: Path) -> None:
    [row], tally = read(one_order(tmp_path, items={"order_id": "f" * 32}))
    assert pd.isna(row["price"])
    assert row["seller_zip_code_prefix"] == 0
    assert tally.repaired["no items or unknown seller, the most common prefix"] == 1


def test_items_of_an_order_are_added_up_and_the_last_seller_sets_the_deadline(tmp_path: Path) -> None:
    raw = one_order(tmp_path)
    items = pd.read_csv(raw / ITEMS, dtype=str)
    later = {"order_item_id": "2", "seller_id": "9" * 32, "shipping_limit_date": "2018-03-12 00:00:00"}
    pd.concat([items, items.assign(**later), items]).to_csv(raw / ITEMS, index=False)
    [row], _ = read(raw)
    assert (row["item_count"], row["seller_count"], row["price"], row["weight_g"]) == (2, 2, 200, 1000)
    assert row["hand_over_by"] == pd.Timestamp("2018-03-12")
    assert row["seller_zip_code_prefix"] == 1037


def test_a_strange_hand_over_to_the_carrier_is_counted_and_changes_nothing(tmp_path: Path) -> None:
    for name in ("clean", "strange"):
        (tmp_path / name).mkdir()
    clean, _ = read(one_order(tmp_path / "clean"))
    cells = {"order_delivered_carrier_date": "2018-01-01 00:00:00", "order_approved_at": ""}
    strange, tally = read(one_order(tmp_path / "strange", orders=cells))
    assert strange == clean
    assert dict(tally.repaired) == {"hand-over before purchase or after delivery, not used": 1}
