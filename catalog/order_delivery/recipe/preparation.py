"""From the Olist tables to orders as a shop sees them, with minutes to learn and a split."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from catalog._olist.recipe import delivered_orders, split_by_time
from catalog.order_delivery.schema import OrderDeliveryRequest
from modelkit.tally import RowTally

ROW = [*OrderDeliveryRequest.model_fields, "label", "time", "known_at", "entity"]
MINUTES_PER_DAY = 1_440
EARTH_RADIUS_KM = 6_371.0
# The shop's words for the columns of the data set.
NAMES = {
    "hand_over_by": "dispatch_by",
    "seller_state": "origin_state",
    "price": "order_value",
    "freight_value": "shipping_cost",
    "item_count": "items",
    "seller_count": "sellers",
}


def labelled(raw: Path) -> tuple[pd.DataFrame, RowTally]:
    """Every delivered order with a known destination, however long it took."""
    tally = RowTally()
    return _shop_orders(delivered_orders(raw, tally))[ROW], tally


def prepare(raw: Path, params: Mapping[str, Any]) -> tuple[pd.DataFrame, RowTally]:
    """Split by the time of purchase; a label is known from the moment of delivery on, not before."""
    tally = RowTally()
    rows = split_by_time(delivered_orders(raw, tally), params, tally)
    return _shop_orders(rows)[[*ROW, "split"]], tally


def _shop_orders(orders: pd.DataFrame) -> pd.DataFrame:
    rows = orders.rename(columns=NAMES)
    return rows.assign(
        # A state is owed in every request; most customers without one live where most customers do.
        destination_state=rows["customer_state"].fillna("SP"),
        distance_km=_distance_km(rows),
        weight_kg=rows["weight_g"] / 1_000,
        volume_litres=rows["volume_cm3"] / 1_000,
        label=rows["days"] * MINUTES_PER_DAY,
        time=rows["purchased_at"],
        known_at=rows["delivered_at"],
    )


def _distance_km(rows: pd.DataFrame) -> pd.Series:
    """Along the great circle."""
    names = ["customer_lat", "customer_lng", "seller_lat", "seller_lng"]
    lat, lng, lat_to, lng_to = (np.radians(rows[name]) for name in names)
    chord = np.sin((lat_to - lat) / 2) ** 2 + np.cos(lat) * np.cos(lat_to) * np.sin((lng_to - lng) / 2) ** 2
    return pd.Series(2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(chord)), index=rows.index)
