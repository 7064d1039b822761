"""Raw lines of basket to lines of orders and of cancellations; what is neither is counted, never guessed at."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from catalog.basket.recipe.raw import COLUMNS, LINES, read_raw
from modelkit.tally import RowTally

# Postage, manual corrections, discounts, samples, bank charges, gift vouchers have words for codes.
PRODUCT = r"(?:\d{5}[A-Z]*|DCGS\w*|PADS)"
ORDER = r"\d{6}"
CANCELLATION = r"C\d{6}"
HOME = "United Kingdom"


@dataclass(frozen=True, kw_only=True)
class CleanLines:
    """Lines with invoice, customer, code, quantity (positive in both), price, value, time and domestic."""

    orders: pd.DataFrame
    cancellations: pd.DataFrame


def clean_lines(raw: Path, tally: RowTally) -> CleanLines:
    """Every line that is left out is counted once, by the first reason that holds."""
    text = read_raw(raw / LINES)
    tally.read[LINES] += len(text)
    text = _drop(text, text["CustomerID"] == "", "no customer", tally)
    text = _drop(text, text.duplicated(list(COLUMNS)), "exact duplicate", tally)
    lines = _typed(text)
    known = lines[["time", "quantity", "price"]].notna().all(axis=1)
    lines = _drop(lines, ~known, "time, quantity or price unreadable", tally)
    is_cancelled = lines["invoice"].str.fullmatch(CANCELLATION)
    odd = ~(is_cancelled | lines["invoice"].str.fullmatch(ORDER))
    lines = _drop(lines, odd, "neither an order nor a cancellation (bad debt)", tally)
    lines = _drop(
        lines, ~lines["code"].str.fullmatch(PRODUCT), "no product (postage, charge, discount)", tally
    )
    lines = _drop(lines, lines["price"] <= 0, "no price", tally)
    is_cancelled = lines["invoice"].str.fullmatch(CANCELLATION)
    wrong = (lines["quantity"] < 0) != is_cancelled
    lines = _drop(lines, wrong | (lines["quantity"] == 0), "quantity contradicts the invoice", tally)
    cancelled = lines["invoice"].str.fullmatch(CANCELLATION)
    lines = lines.assign(quantity=lines["quantity"].abs())
    lines = lines.assign(value=lines["quantity"] * lines["price"])
    orders = _drop(lines, cancelled, "cancellation, history only", tally)
    return CleanLines(orders=orders, cancellations=lines[cancelled])


def _typed(text: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "invoice": text["InvoiceNo"].str.upper(),
            "customer": text["CustomerID"],
            "code": text["StockCode"].str.upper(),
            "quantity": pd.to_numeric(text["Quantity"], errors="coerce"),
            "price": pd.to_numeric(text["UnitPrice"], errors="coerce"),
            "time": pd.to_datetime(text["InvoiceDate"], errors="coerce", format="ISO8601").astype(
                "datetime64[s]"
            ),
            "domestic": text["Country"] == HOME,
        }
    )


def _drop(lines: pd.DataFrame, unusable: pd.Series, reason: str, tally: RowTally) -> pd.DataFrame:
    if found := int(unusable.sum()):
        tally.dropped[reason] += found
    return lines[~unusable]
