"""What an order holds, one row for each: items, products and sellers joined and summed."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from catalog._olist.recipe.raw import ITEMS, PRODUCTS, SELLERS, numbers_of, read_table, state_of, times_of

SIDES = ("product_length_cm", "product_height_cm", "product_width_cm")
MAX_PREFIX = 99_999


def baskets(raw: Path) -> pd.DataFrame:
    """By order_id. The seller is that of the first item; the hand-over is due when the last seller's is."""
    items = read_table(raw / ITEMS).drop_duplicates(["order_id", "order_item_id"])
    items = items.assign(
        place=numbers_of(items["order_item_id"]),
        hand_over_by=times_of(items["shipping_limit_date"]),
        **{name: _not_negative(items[name]) for name in ("price", "freight_value")},
    )
    items = items.merge(_products(raw), on="product_id", how="left")
    items = items.merge(_sellers(raw), on="seller_id", how="left").sort_values(["order_id", "place"])
    by_order = items.groupby("order_id", sort=False)
    summed = by_order[["price", "freight_value", "weight_g", "volume_cm3"]].sum(min_count=1)
    first = by_order[["seller_zip_code_prefix", "seller_state", "seller_zip"]].first()
    counted = by_order.agg(
        hand_over_by=("hand_over_by", "max"),
        item_count=("order_item_id", "size"),
        seller_count=("seller_id", "nunique"),
    )
    return summed.join(first).join(counted.astype({"item_count": "float64", "seller_count": "float64"}))


def _products(raw: Path) -> pd.DataFrame:
    """Weight and volume; 0 is a placeholder."""
    products = read_table(raw / PRODUCTS).drop_duplicates("product_id")
    length, height, width = (_positive(products[name]) for name in SIDES)
    return pd.DataFrame(
        {
            "product_id": products["product_id"],
            "weight_g": _positive(products["product_weight_g"]),
            "volume_cm3": length * height * width,
        }
    )


def _sellers(raw: Path) -> pd.DataFrame:
    """`seller_zip` is the text that places are looked up by, `seller_zip_code_prefix` its number."""
    sellers = read_table(raw / SELLERS).drop_duplicates("seller_id")
    prefix = numbers_of(sellers["seller_zip_code_prefix"])
    return pd.DataFrame(
        {
            "seller_id": sellers["seller_id"],
            "seller_zip": sellers["seller_zip_code_prefix"],
            "seller_zip_code_prefix": prefix.where(prefix.between(0, MAX_PREFIX)),
            "seller_state": state_of(sellers["seller_state"]),
        }
    )


def _positive(text: pd.Series) -> pd.Series:
    values = numbers_of(text)
    return values.where(values > 0)


def _not_negative(text: pd.Series) -> pd.Series:
    values = numbers_of(text)
    return values.where(values >= 0)
