"""What is expected of the raw file of basket, and how much of the known dirt is usual."""

from __future__ import annotations

from typing import Any

import pandera.pandas as pa

from catalog.basket.recipe.raw import LINES


def _column(kind: Any, *checks: pa.Check, tolerated: float = 0.0) -> pa.Column:
    return pa.Column(kind, list(checks), metadata={"tolerated": tolerated})


RAW_SCHEMAS = {
    LINES: pa.DataFrameSchema(
        {
            "InvoiceNo": _column(str, pa.Check.str_matches(r"^[AC]?\d{6}$")),
            "StockCode": _column(str, pa.Check.str_matches(r"^\d{5}"), tolerated=0.02),
            "Description": _column(str, tolerated=0.02),
            "Quantity": _column(float, pa.Check.gt(0), tolerated=0.05),
            "InvoiceDate": _column("datetime64[ns]"),
            "UnitPrice": _column(float, pa.Check.gt(0), tolerated=0.02),
            "CustomerID": _column(str, pa.Check.str_matches(r"^\d{5}$"), tolerated=0.4),
            "Country": _column(str),
        }
    )
}
