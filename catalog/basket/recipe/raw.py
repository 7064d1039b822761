"""The raw file of basket: one line per product of an invoice, as text."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

LINES = "online_retail.csv.gz"
RAW_FOLDER = "online_retail"
RAW_FILES = (LINES,)
COLUMNS = (
    "InvoiceNo",
    "StockCode",
    "Description",
    "Quantity",
    "InvoiceDate",
    "UnitPrice",
    "CustomerID",
    "Country",
)


def read_raw(path: Path) -> pd.DataFrame:
    """Text columns as they are, blanks stripped from those that identify something."""
    frame = pd.read_csv(path, dtype=str, keep_default_na=False, usecols=list(COLUMNS))
    for name in ("InvoiceNo", "StockCode", "CustomerID"):
        frame[name] = frame[name].str.strip()
    return frame
