"""Every kind of dirt in the raw basket lines: left out for one reason each, or read for what it is."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

from catalog.basket.recipe import labelled, synthesise
from catalog.basket.recipe.cleaning import CleanLines, clean_lines
from catalog.basket.recipe.raw import LINES
from modelkit.tally import RowTally

LINE = {
    "InvoiceNo": "536365",
    "StockCode": "85123A",
    "Description": "WHITE HANGING HEART T-LIGHT HOLDER",
    "Quantity": "6",
    "InvoiceDate": "2010-12-01 08:26:00",
    "UnitPrice": "2.55",
    "CustomerID": "17850",
    "Country": "United Kingdom",
}


def cleaned(tmp_path: Path, *lines: dict[str, str]) -> tuple[CleanLines, Counter[str]]:
    pd.DataFrame([LINE | line for line in lines]).to_csv(tmp_path / LINES, index=False)
    tally = RowTally()
    return clean_lines(tmp_path, tally), tally.dropped


def test_an_ordered_product_has_the_value_of_its_units(tmp_path: Path) -> None:
    lines, dropped = cleaned(tmp_path, {})
    assert lines.orders["value"].tolist() == [pytest.approx(15.3)]
    assert dropped == Counter()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"CustomerID": ""}, "no customer"),
        ({"Quantity": "some"}, "time, quantity or price unreadable"),
        ({"InvoiceDate": "soon"}, "time, quantity or price unreadable"),
        ({"InvoiceNo": "A563185"}, "neither an order nor a cancellation (bad debt)"),
        ({"StockCode": "POST"}, "no product (postage, charge, discount)"),
        ({"StockCode": "BANK CHARGES"}, "no product (postage, charge, discount)"),
        ({"StockCode": "gift_0001_20"}, "no product (postage, charge, discount)"),
        ({"UnitPrice": "0.0"}, "no price"),
        ({"UnitPrice": "-11062.06"}, "no price"),
        ({"Quantity": "-6"}, "quantity contradicts the invoice"),
        ({"Quantity": "0"}, "quantity contradicts the invoice"),
        ({"InvoiceNo": "C536379"}, "quantity contradicts the invoice"),
        ({"InvoiceNo": "C536379", "Quantity": "-6"}, "cancellation, history only"),
    ],
)
def test_what_is_not_ordered_is_left_out_for_one_reason(
    tmp_path: Path, changes: dict[str, str], reason: str
) -> None:
    lines, dropped = cleaned(tmp_path, changes)
    assert lines.orders.empty
    assert dropped == Counter({reason: 1})


def test_an_exact_copy_of_a_line_counts_once_and_another_quantity_is_another_line(tmp_path: Path) -> None:
    lines, dropped = cleaned(tmp_path, {}, {}, {"Quantity": "7"})
    assert lines.orders["quantity"].tolist() == [6, 7]
    assert dropped == Counter({"exact duplicate": 1})


def test_one_product_in_two_spellings_is_one_product(tmp_path: Path) -> None:
    lines, _ = cleaned(tmp_path, {"StockCode": "85123a"}, {"StockCode": " 85123A"})
    assert set(lines.orders["code"]) == {"85123A"}


def test_a_cancellation_counts_what_comes_back(tmp_path: Path) -> None:
    lines, _ = cleaned(tmp_path, {"InvoiceNo": "C536379", "Quantity": "-2"})
    assert lines.cancellations[["quantity", "value"]].to_numpy().tolist() == [[2, pytest.approx(5.1)]]


def test_the_synthetic_file_has_the_dirt_of_the_real_one(tmp_path: Path) -> None:
    (tmp_path / LINES).write_bytes(synthesise(5)[LINES])
    rows, tally = labelled(tmp_path)
    assert set(tally.dropped) == {
        "no customer",
        "exact duplicate",
        "no product (postage, charge, discount)",
        "no price",
        "cancellation, history only",
        "no earlier basket to go by, history only",
    }
    assert 0 < len(rows) < tally.used
