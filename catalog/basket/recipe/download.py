"""The public data set behind basket, from Kaggle's spelling to that of the raw file."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from catalog.basket.recipe.raw import COLUMNS, LINES

DATA_SET = "carrie1/ecommerce-data"


def download(fetch: Callable[[str], Path]) -> dict[str, bytes]:
    """The same table, its times American and its text in Latin letters of one byte."""
    frame = pd.read_csv(
        fetch(DATA_SET) / "data.csv", dtype=str, keep_default_na=False, encoding="ISO-8859-1"
    )[list(COLUMNS)]
    times = pd.to_datetime(frame["InvoiceDate"], format="%m/%d/%Y %H:%M")
    frame["InvoiceDate"] = times.dt.strftime("%Y-%m-%d %H:%M:%S")
    frame["CustomerID"] = frame["CustomerID"].str.removesuffix(".0")
    return {LINES: gzip.compress(frame.to_csv(index=False).encode(), mtime=0)}
