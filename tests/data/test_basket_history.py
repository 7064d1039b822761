"""What is known of a customer before a basket: nothing of the basket itself, and nothing that happened later."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from catalog.basket.recipe import labelled, materialise, synthesise
from catalog.basket.recipe.raw import LINES
from catalog.basket.schema import BasketFeatures

FIELDS = list(BasketFeatures.model_fields)


def line(
    number: int, at: str, code: str, quantity: int, price: float = 10.0, **changes: str
) -> dict[str, Any]:
    invoice = f"C{number}" if quantity < 0 else f"{number}"
    base = {"InvoiceNo": invoice, "StockCode": code, "Description": "", "Quantity": quantity}
    base |= {"InvoiceDate": at, "UnitPrice": price, "CustomerID": "12346", "Country": "United Kingdom"}
    return base | changes


def written(folder: Path, *lines: dict[str, Any]) -> Path:
    pd.DataFrame(list(lines)).to_csv(folder / LINES, index=False)
    return folder


def rows_of(folder: Path, *lines: dict[str, Any]) -> list[dict[str, Any]]:
    return labelled(written(folder, *lines))[0].to_dict("records")


FIRST = (line(536365, "2011-01-01 10:00", "10001", 3), line(536365, "2011-01-01 10:00", "10002", 1))
SECOND = (line(536400, "2011-01-08 10:00", "10001", 2), line(536400, "2011-01-08 10:00", "10003", 5))
THIRD = (line(536500, "2011-01-22 10:00", "10009", 9),)


def test_a_first_basket_has_nothing_to_go_by(tmp_path: Path) -> None:
    assert rows_of(tmp_path, *FIRST) == []


def test_the_row_of_a_basket_tells_of_the_baskets_before_it(tmp_path: Path) -> None:
    second, third = rows_of(tmp_path, *FIRST, *SECOND, *THIRD)
    assert (second["label"], second["prior_basket_value"], second["prior_item_count"]) == (70, 40, 2)
    assert (second["prior_regulars_count"], second["regulars_count"]) == (0, 0)
    assert (third["label"], third["prior_basket_value"], third["prior_item_count"]) == (90, 70, 2)
    assert (third["prior_regulars_count"], third["regulars_count"]) == (1, 1)
    assert third["last_basket_at"] - third["second_last_basket_at"] == pytest.approx(7)


def test_invoices_of_one_moment_do_not_see_each_other(tmp_path: Path) -> None:
    twin = line(536401, "2011-01-08 10:00", "10007", 4)
    for row in rows_of(tmp_path, *FIRST, *SECOND, twin):
        assert row["prior_basket_value"] == 40


def test_a_basket_that_was_cancelled_as_a_whole_is_none_from_then_on(tmp_path: Path) -> None:
    undone = [
        line(536450, "2011-01-08 10:12", "10001", -2),
        line(536450, "2011-01-08 10:12", "10003", -5),
    ]
    second, third = rows_of(tmp_path, *FIRST, *SECOND, *undone, *THIRD)
    assert second["label"] == 70
    assert (third["prior_basket_value"], third["basket_count"], third["regulars_count"]) == (40, 1, 0)
    assert (third["last_cancelled_value"], third["cancellation_count"]) == (70, 1)


def test_a_basket_that_was_cancelled_in_part_stays(tmp_path: Path) -> None:
    part = line(536450, "2011-01-08 10:12", "10003", -5)
    _, third = rows_of(tmp_path, *FIRST, *SECOND, part, *THIRD)
    assert (third["prior_basket_value"], third["basket_count"]) == (70, 2)
    assert third["cancelled_share"] == pytest.approx(50 / 110)


def test_a_cancellation_is_not_known_before_it_happened(tmp_path: Path) -> None:
    late = line(536600, "2011-01-23 10:00", "10001", -2)
    _, third = rows_of(tmp_path, *FIRST, *SECOND, *THIRD, late)
    assert third["cancellation_count"] == 0
    assert pd.isna(third["last_cancellation_at"])


def test_a_cancellation_of_what_was_ordered_before_the_data_begins_is_nothing(tmp_path: Path) -> None:
    old = line(536300, "2010-12-31 10:00", "10001", -2)
    [second] = rows_of(tmp_path, old, *FIRST, *SECOND)
    assert second["cancellation_count"] == 0


def test_orders_split_over_several_invoices_are_one_visit(tmp_path: Path) -> None:
    rest = line(536366, "2011-01-01 10:20", "10005", 1)
    _, second = rows_of(tmp_path, *FIRST, rest, *SECOND)
    assert (second["visit_count"], second["basket_count"], second["last_visit_value"]) == (1, 2, 50)
    assert (second["follow_up_share"], second["log_mean_follow_up"]) == (0.5, pytest.approx(10))


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("raw")
    (folder / LINES).write_bytes(synthesise(7)[LINES])
    return folder


def test_no_row_changes_when_its_basket_and_everything_later_is_another(raw: Path, tmp_path: Path) -> None:
    rows, _ = labelled(raw)
    lines = pd.read_csv(raw / LINES, dtype=str, keep_default_na=False)
    for moment in rows["time"].sample(3, random_state=1):
        later = pd.to_datetime(lines["InvoiceDate"]) >= moment
        other = lines.assign(UnitPrice=lines["UnitPrice"].where(~later, "77.7"))
        other.to_csv(tmp_path / LINES, index=False)
        asked = rows["time"] <= moment
        after, _ = labelled(tmp_path)
        pd.testing.assert_frame_equal(after.loc[asked, FIELDS], rows.loc[asked, FIELDS])
        now = rows["time"] == moment
        assert (after.loc[now, "label"] != rows.loc[now, "label"]).all()


def test_what_is_materialised_is_what_the_next_basket_is_asked_with(raw: Path) -> None:
    rows, _ = labelled(raw)
    for row in rows.sample(5, random_state=2).to_dict("records"):
        kept = materialise(raw, row["time"]).set_index("user_id").loc[row["user_id"]]
        assert kept[FIELDS].equals(pd.Series({name: row[name] for name in FIELDS}))


def test_everybody_who_ever_ordered_is_materialised_once(raw: Path) -> None:
    kept, (rows, _) = materialise(raw, None), labelled(raw)
    assert kept["user_id"].is_unique
    assert set(rows["user_id"]) <= set(kept["user_id"])
    assert list(kept.columns) == ["user_id", *FIELDS]
