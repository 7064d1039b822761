"""The raw tables of Olist as text: prefixes keep their leading zeros, every spelling of missing is None."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from catalog._olist.states import STATES

ORDERS = "olist_orders_dataset.csv.gz"
ITEMS = "olist_order_items_dataset.csv.gz"
CUSTOMERS = "olist_customers_dataset.csv.gz"
SELLERS = "olist_sellers_dataset.csv.gz"
PRODUCTS = "olist_products_dataset.csv.gz"
PLACES = "olist_geolocation_by_prefix.csv.gz"
CATEGORIES = "product_category_name_translation.csv.gz"
RAW_FOLDER = "olist"
RAW_FILES = (ORDERS, ITEMS, CUSTOMERS, SELLERS, PRODUCTS, PLACES, CATEGORIES)


def read_table(path: Path) -> pd.DataFrame:
    """Text columns, blanks stripped."""
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    for name in frame.columns:
        values = frame[name].str.strip().astype(object)
        frame[name] = values.where(~values.isin(["", "NaN", "nan"]), None)
    return frame


def times_of(text: pd.Series) -> pd.Series:
    """Local times to the second; NaT for what is none."""
    return pd.to_datetime(text, errors="coerce", format="mixed").astype("datetime64[s]")


def numbers_of(text: pd.Series) -> pd.Series:
    return pd.to_numeric(text, errors="coerce").astype("float64")


def state_of(text: pd.Series) -> pd.Series:
    """One of the 27 states, or None."""
    return text.where(text.isin(STATES), None)
