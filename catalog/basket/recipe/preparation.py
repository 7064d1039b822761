"""Raw lines of basket to rows: request and history as of each basket, its value, and a split ordered by time."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from catalog.basket.recipe.cleaning import clean_lines
from catalog.basket.recipe.invoices import SECONDS_PER_DAY
from catalog.basket.recipe.replay import as_of as figures_as_of
from catalog.basket.recipe.replay import asked
from catalog.basket.schema import BasketFeatures, BasketRequest
from modelkit.tally import RowTally

KEY = "user_id"
FIELDS = (*BasketRequest.model_fields, *BasketFeatures.model_fields)


def prepare(raw: Path, params: Mapping[str, Any]) -> tuple[pd.DataFrame, RowTally]:
    """Test is the last `test_days`, validation the days before."""
    rows, tally = labelled(raw)
    last_day = rows["time"].max().normalize()
    test_from = last_day - pd.Timedelta(days=params["test_days"] - 1)
    valid_from = test_from - pd.Timedelta(days=params["valid_days"])
    rows["split"] = "train"
    rows.loc[rows["time"] >= valid_from, "split"] = "valid"
    rows.loc[rows["time"] >= test_from, "split"] = "test"
    return rows, tally


def labelled(raw: Path) -> tuple[pd.DataFrame, RowTally]:
    """Every basket of a customer who had one before."""
    tally = RowTally()
    lines = clean_lines(raw, tally)
    found = list(asked(lines))
    rows = pd.DataFrame([basket.figures for basket in found], columns=list(BasketFeatures.model_fields))
    rows = rows.astype("float64")
    placed = _times([basket.invoice.placed for basket in found])
    rows[KEY] = [basket.invoice.customer for basket in found]
    rows["ordered_at"] = placed
    rows["label"] = [basket.invoice.value for basket in found]
    rows["time"] = placed
    rows["known_at"] = _times([basket.invoice.closed for basket in found])
    rows["entity"] = rows[KEY]
    first = len(lines.orders) - sum(len(basket.invoice.lines) for basket in found)
    if first:
        tally.dropped["no earlier basket to go by, history only"] += first
    return rows[[*FIELDS, "label", "time", "known_at", "entity"]], tally


def materialise(raw: Path, as_of: pd.Timestamp | None) -> pd.DataFrame:
    """What the view keeps for each user: history before `as_of`, or all of it."""
    moment = float("inf") if as_of is None else (as_of - pd.Timestamp(0)).total_seconds() / SECONDS_PER_DAY
    figures = figures_as_of(clean_lines(raw, RowTally()), moment)
    rows = pd.DataFrame(list(figures.values()), columns=list(BasketFeatures.model_fields)).astype("float64")
    rows.insert(0, KEY, list(figures))
    return rows


def _times(days: list[float]) -> pd.Series:
    seconds = pd.Series(days, dtype="float64").mul(SECONDS_PER_DAY).round().astype("int64")
    return pd.to_datetime(seconds, unit="s").astype("datetime64[s]")
