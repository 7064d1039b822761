"""One small Olist order in all its tables, for tests that change a cell and look at what becomes of the row."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from catalog._olist.recipe.raw import (
    CATEGORIES,
    CUSTOMERS,
    ITEMS,
    ORDERS,
    PLACES,
    PRODUCTS,
    RAW_FILES,
    SELLERS,
)

ORDER, CUSTOMER, PRODUCT, SELLER = (letter * 32 for letter in "abcd")
TABLES: dict[str, dict[str, str]] = {
    ORDERS: {
        "order_id": ORDER,
        "customer_id": CUSTOMER,
        "order_status": "delivered",
        "order_purchase_timestamp": "2018-03-05 12:00:00",
        "order_approved_at": "2018-03-05 12:10:00",
        "order_delivered_carrier_date": "2018-03-07 09:00:00",
        "order_delivered_customer_date": "2018-03-15 18:00:00",
        "order_estimated_delivery_date": "2018-03-30 00:00:00",
    },
    ITEMS: {
        "order_id": ORDER,
        "order_item_id": "1",
        "product_id": PRODUCT,
        "seller_id": SELLER,
        "shipping_limit_date": "2018-03-09 12:10:00",
        "price": "100.0",
        "freight_value": "20.0",
    },
    CUSTOMERS: {
        "customer_id": CUSTOMER,
        "customer_unique_id": "e" * 32,
        "customer_zip_code_prefix": "20010",
        "customer_city": "rio de janeiro",
        "customer_state": "RJ",
    },
    SELLERS: {
        "seller_id": SELLER,
        "seller_zip_code_prefix": "01037",
        "seller_city": "sao paulo",
        "seller_state": "SP",
    },
    PRODUCTS: {
        "product_id": PRODUCT,
        "product_category_name": "artes",
        "product_weight_g": "500",
        "product_length_cm": "20",
        "product_height_cm": "10",
        "product_width_cm": "10",
    },
    CATEGORIES: {"product_category_name": "artes", "product_category_name_english": "art"},
}
POINTS = pd.DataFrame(
    [
        ("01037", "-23.5", "-46.6", "sao paulo", "SP"),
        ("20010", "-22.9", "-43.2", "rio de janeiro", "RJ"),
        ("25600", "-22.5", "-43.1", "petrópolis", "RJ"),
    ],
    columns=[f"geolocation_{name}" for name in ("zip_code_prefix", "lat", "lng", "city", "state")],
)


def one_order(folder: Path, **changes: dict[str, str]) -> Path:
    """`folder` with all raw files; `changes` are new cells by the short name of the table: `orders`, `customers`."""
    short = {name: name.split("_")[1] for name in TABLES if name != ITEMS} | {ITEMS: "items"}
    for name, row in TABLES.items():
        pd.DataFrame([row | changes.get(short[name], {})]).to_csv(folder / name, index=False)
    POINTS.to_csv(folder / PLACES, index=False)
    return folder


def synthetic_tables(folder: Path, content: dict[str, bytes]) -> Path:
    assert set(content) == set(RAW_FILES)
    for name, data in content.items():
        (folder / name).write_bytes(data)
    return folder
