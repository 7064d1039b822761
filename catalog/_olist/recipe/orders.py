"""Every delivered order of Olist as one row of what was known when it was bought, and the days it took.

Approval, hand-over to the carrier, status and review are known only later: they are read here to tell orders apart and
to count dirt, and never leave this module.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from catalog._olist.recipe.baskets import baskets
from catalog._olist.recipe.places import Places
from catalog._olist.recipe.raw import CUSTOMERS, ORDERS, PLACES, read_table, state_of, times_of
from modelkit.tally import RowTally

SECONDS_PER_DAY = 86_400
TIMES = {
    "order_purchase_timestamp": "purchased_at",
    "order_estimated_delivery_date": "promised_at",
    "order_delivered_customer_date": "delivered_at",
    "order_delivered_carrier_date": "handed_over_at",
}
ROW = (
    *("entity", "purchased_at", "promised_at", "hand_over_by", "delivered_at", "days"),
    *("customer_lat", "customer_lng", "customer_state"),
    *("seller_zip_code_prefix", "seller_lat", "seller_lng", "seller_state"),
    *("price", "freight_value", "weight_g", "volume_cm3", "item_count", "seller_count"),
)


def delivered_orders(raw: Path, tally: RowTally) -> pd.DataFrame:
    """In the order of purchase. Rows without a label are dropped, gaps and placeholders repaired; both are counted."""
    orders = _delivered(raw / ORDERS, tally)
    customers = read_table(raw / CUSTOMERS).drop_duplicates("customer_id")
    rows = orders.merge(customers, on="customer_id", how="left").merge(
        baskets(raw), left_on="order_id", right_index=True, how="left"
    )
    rows["entity"] = rows["customer_unique_id"]
    rows["customer_state"] = state_of(rows["customer_state"])
    places = Places.read(raw / PLACES, tally.repaired)
    rows = places.locate_customers(places.locate_sellers(rows), tally.repaired)
    _repair_baskets(rows, tally)
    return rows.sort_values(["purchased_at", "order_id"], kind="stable")[list(ROW)].reset_index(drop=True)


def _delivered(path: Path, tally: RowTally) -> pd.DataFrame:
    orders = read_table(path)
    tally.read[path.name] += len(orders)
    orders = drop(orders, orders["order_id"].duplicated(), "duplicate order", tally)
    orders = drop(orders, orders["order_status"] != "delivered", "not delivered", tally)
    for name, ours in TIMES.items():
        orders[ours] = times_of(orders[name])
    orders = drop(orders, orders["purchased_at"].isna(), "no time of purchase", tally)
    orders = drop(orders, orders["delivered_at"].isna(), "delivered, but no date of delivery", tally)
    wait = orders["delivered_at"] - orders["purchased_at"]
    orders = drop(orders, wait <= pd.Timedelta(0), "delivered before it was bought", tally)
    odd = (orders["handed_over_at"] < orders["purchased_at"]) | (
        orders["handed_over_at"] > orders["delivered_at"]
    )
    count(tally, "hand-over before purchase or after delivery, not used", odd)
    late = orders["promised_at"] < orders["purchased_at"]
    count(tally, "promised before it was bought, blanked", late)
    orders["promised_at"] = orders["promised_at"].mask(late)
    orders["days"] = (orders["delivered_at"] - orders["purchased_at"]).dt.total_seconds() / SECONDS_PER_DAY
    return orders


def _repair_baskets(rows: pd.DataFrame, tally: RowTally) -> None:
    """A seller's prefix is owed in every request: the most common one stands in where an order lost its items."""
    unknown = rows["seller_zip_code_prefix"].isna()
    count(tally, "no items or unknown seller, the most common prefix", unknown)
    common = rows["seller_zip_code_prefix"].mode()
    stand_in = float(common.iloc[0]) if len(common) else 0.0
    rows["seller_zip_code_prefix"] = rows["seller_zip_code_prefix"].fillna(stand_in)
    early = rows["hand_over_by"] < rows["purchased_at"]
    count(tally, "hand-over due before purchase, blanked", early)
    rows["hand_over_by"] = rows["hand_over_by"].mask(early)
    for name in ("weight_g", "volume_cm3"):
        count(tally, f"{name} missing or 0, blank", rows[name].isna())


def drop(rows: pd.DataFrame, unusable: pd.Series, reason: str, tally: RowTally) -> pd.DataFrame:
    """The usable rows; the others are counted."""
    if found := int(unusable.sum()):
        tally.dropped[reason] += found
    return rows[~unusable].copy()


def count(tally: RowTally, reason: str, rows: pd.Series) -> None:
    if found := int(rows.sum()):
        tally.repaired[reason] += found
