"""What is expected of the raw tables of Olist, and how much of the known dirt is usual."""

from __future__ import annotations

from typing import Any

import pandera.pandas as pa

from catalog._olist.recipe.raw import CATEGORIES, CUSTOMERS, ITEMS, ORDERS, PLACES, PRODUCTS, SELLERS
from catalog._olist.states import STATES

IDENTIFIER = pa.Check.str_matches(r"^[0-9a-f]{32}$")
PREFIX = pa.Check.str_matches(r"^\d{4,5}$")
STATUSES = (
    *("approved", "canceled", "created", "delivered", "invoiced", "processing", "shipped", "unavailable"),
)


def _column(kind: type | str, *checks: pa.Check, tolerated: float = 0.0, **more: Any) -> pa.Column:
    return pa.Column(kind, list(checks), metadata={"tolerated": tolerated}, **more)


def _time(**more: Any) -> pa.Column:
    return _column("datetime64[ns]", **more)


def _measures(*names: str) -> dict[str, pa.Column]:
    return {name: _column(float, pa.Check.ge(0), tolerated=0.05) for name in names}


RAW_SCHEMAS = {
    ORDERS: pa.DataFrameSchema(
        {
            "order_id": _column(str, IDENTIFIER, unique=True, tolerated=0.001),
            "customer_id": _column(str, IDENTIFIER),
            "order_status": _column(str, pa.Check.isin(STATUSES)),
            "order_purchase_timestamp": _time(tolerated=0.001),
            "order_delivered_customer_date": _time(tolerated=0.5, nullable=True),
            "order_estimated_delivery_date": _time(tolerated=0.01),
        }
    ),
    ITEMS: pa.DataFrameSchema(
        {
            "order_id": _column(str, IDENTIFIER),
            "order_item_id": _column(float, pa.Check.ge(1)),
            "product_id": _column(str, IDENTIFIER),
            "seller_id": _column(str, IDENTIFIER),
            "shipping_limit_date": _time(tolerated=0.01),
            "price": _column(float, pa.Check.ge(0), tolerated=0.01),
            "freight_value": _column(float, pa.Check.ge(0), tolerated=0.01),
        }
    ),
    CUSTOMERS: pa.DataFrameSchema(
        {
            "customer_id": _column(str, IDENTIFIER, unique=True),
            "customer_unique_id": _column(str, IDENTIFIER),
            "customer_zip_code_prefix": _column(str, PREFIX, tolerated=0.01),
            "customer_state": _column(str, pa.Check.isin(STATES), tolerated=0.01),
        }
    ),
    SELLERS: pa.DataFrameSchema(
        {
            "seller_id": _column(str, IDENTIFIER, unique=True),
            "seller_zip_code_prefix": _column(str, PREFIX, tolerated=0.01),
            "seller_state": _column(str, pa.Check.isin(STATES), tolerated=0.01),
        }
    ),
    PRODUCTS: pa.DataFrameSchema(
        {
            "product_id": _column(str, IDENTIFIER, unique=True),
            **_measures(*("product_weight_g", "product_length_cm", "product_height_cm", "product_width_cm")),
        }
    ),
    PLACES: pa.DataFrameSchema(
        {
            "geolocation_zip_code_prefix": _column(str, PREFIX, unique=True),
            "geolocation_lat": _column(float, pa.Check.in_range(-34.5, 6), tolerated=0.02),
            "geolocation_lng": _column(float, pa.Check.in_range(-74.5, -28), tolerated=0.02),
            "geolocation_state": _column(str, pa.Check.isin(STATES)),
        }
    ),
    CATEGORIES: pa.DataFrameSchema(
        {
            "product_category_name": _column(str, unique=True),
            "product_category_name_english": _column(str),
        }
    ),
}
