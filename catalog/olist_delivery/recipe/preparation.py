"""From the Olist tables to rows with a label and a split."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from catalog._olist.recipe import delivered_orders, split_by_time
from catalog.olist_delivery.schema import OlistDeliveryRequest
from modelkit.tally import RowTally

ROW = [*OlistDeliveryRequest.model_fields, "label", "time", "known_at", "entity"]


def labelled(raw: Path) -> tuple[pd.DataFrame, RowTally]:
    """Every delivered order, however long it took."""
    tally = RowTally()
    return _named(delivered_orders(raw, tally))[ROW], tally


def prepare(raw: Path, params: Mapping[str, Any]) -> tuple[pd.DataFrame, RowTally]:
    """Split by the time of purchase; a label is known from the day of delivery on, not before."""
    tally = RowTally()
    rows = split_by_time(delivered_orders(raw, tally), params, tally)
    return _named(rows)[[*ROW, "split"]], tally


def _named(orders: pd.DataFrame) -> pd.DataFrame:
    return orders.assign(label=orders["days"], time=orders["purchased_at"], known_at=orders["delivered_at"])
