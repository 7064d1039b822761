"""A seeded stand-in for the raw tables of Olist: same files, columns, units, dirt and drift, no account needed."""

from __future__ import annotations

import gzip
from typing import Any

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray

from catalog._olist.recipe.dirt import soil
from catalog._olist.recipe.raw import CATEGORIES, CUSTOMERS, ITEMS, ORDERS, PLACES, PRODUCTS, SELLERS
from catalog._olist.recipe.regions import region_places

ORDER_COUNT, SELLER_COUNT, PRODUCT_COUNT = 6_000, 250, 1_200
FIRST, DAYS = pd.Timestamp("2017-04-01"), 472
TRANSLATED = {"beleza_saude": "health_beauty", "esporte_lazer": "sports_leisure", "artes": "art"}
CATEGORY = "product_category_name"


def synthesise(seed: int) -> dict[str, bytes]:
    """The bytes of every raw file, by name; the same seed gives the same bytes."""
    random = np.random.default_rng(seed)
    places = region_places(random)
    sellers = _sellers(random, places)
    products = _products(random)
    customers = _customers(random, places)
    orders, items = _orders(random, customers, sellers, products, places)
    translation = {CATEGORY: list(TRANSLATED), f"{CATEGORY}_english": list(TRANSLATED.values())}
    frames = {
        ORDERS: orders,
        ITEMS: items,
        CUSTOMERS: customers,
        SELLERS: sellers,
        PRODUCTS: products,
        PLACES: places,
        CATEGORIES: pd.DataFrame(translation),
    }
    soil(frames, random)
    return {
        name: gzip.compress(frame.to_csv(index=False).encode(), mtime=0) for name, frame in frames.items()
    }


def _ids(random: Generator, rows: int) -> list[str]:
    return [random.bytes(16).hex() for _ in range(rows)]


def _located(random: Generator, places: pd.DataFrame, rows: int, who: str) -> dict[str, Any]:
    """More people live where more prefixes are."""
    chosen = places.iloc[random.integers(0, len(places), rows)]
    return {
        f"{who}_zip_code_prefix": chosen["geolocation_zip_code_prefix"].to_numpy(),
        f"{who}_city": chosen["geolocation_city"].to_numpy(),
        f"{who}_state": chosen["geolocation_state"].to_numpy(),
    }


def _sellers(random: Generator, places: pd.DataFrame) -> pd.DataFrame:
    southern = places[places["geolocation_state"].isin(["SP", "PR", "MG"])]
    located = _located(random, southern, SELLER_COUNT, "seller")
    return pd.DataFrame({"seller_id": _ids(random, SELLER_COUNT), **located})


def _products(random: Generator) -> pd.DataFrame:
    size = (PRODUCT_COUNT, 3)
    sides = np.round(random.lognormal(3.0, 0.4, size)).astype(int) + 5
    return pd.DataFrame(
        {
            "product_id": _ids(random, PRODUCT_COUNT),
            CATEGORY: random.choice(list(TRANSLATED), PRODUCT_COUNT),
            "product_name_lenght": random.integers(10, 64, PRODUCT_COUNT),
            "product_description_lenght": random.integers(50, 3000, PRODUCT_COUNT),
            "product_photos_qty": random.integers(1, 7, PRODUCT_COUNT),
            "product_weight_g": np.round(random.lognormal(6.5, 1.0, PRODUCT_COUNT)).astype(int) + 50,
            "product_length_cm": sides[:, 0],
            "product_height_cm": sides[:, 1],
            "product_width_cm": sides[:, 2],
        }
    )


def _customers(random: Generator, places: pd.DataFrame) -> pd.DataFrame:
    """A customer_id per order; a few of the people come back."""
    people = _ids(random, ORDER_COUNT)
    people[-60:] = people[:60]
    return pd.DataFrame(
        {
            "customer_id": _ids(random, ORDER_COUNT),
            "customer_unique_id": people,
            **_located(random, places, ORDER_COUNT, "customer"),
        }
    )


def _orders(
    random: Generator,
    customers: pd.DataFrame,
    sellers: pd.DataFrame,
    products: pd.DataFrame,
    places: pd.DataFrame,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    sold_by = sellers.iloc[random.integers(0, len(sellers), ORDER_COUNT)]
    what = products.iloc[random.integers(0, len(products), ORDER_COUNT)]
    points = places.set_index("geolocation_zip_code_prefix")[["geolocation_lat", "geolocation_lng"]]
    start = points.loc[sold_by["seller_zip_code_prefix"]].to_numpy()
    distance = 111 * np.hypot(*(points.loc[customers["customer_zip_code_prefix"]].to_numpy() - start).T)
    bought, clock = _clock(random, distance)
    ids = _ids(random, ORDER_COUNT)
    orders = pd.DataFrame(
        {"order_id": ids, "customer_id": customers["customer_id"], "order_status": "delivered", **clock}
    )
    weight = what["product_weight_g"].to_numpy()
    items = pd.DataFrame(
        {
            "order_id": ids,
            "order_item_id": 1,
            "product_id": what["product_id"].to_numpy(),
            "seller_id": sold_by["seller_id"].to_numpy(),
            "shipping_limit_date": _text(bought + pd.to_timedelta(random.integers(4, 8, ORDER_COUNT), "D")),
            "price": np.round(random.lognormal(4.3, 0.8, ORDER_COUNT), 2),
            "freight_value": np.round(
                8 + distance / 100 + weight / 500 + random.exponential(2, ORDER_COUNT), 2
            ),
        }
    )
    return orders, _with_more_items(random, items, sellers)


def _clock(random: Generator, distance: NDArray[Any]) -> tuple[pd.DatetimeIndex, dict[str, Any]]:
    """Days grow with distance and fall over the months, as they did; the promise knows the way, not the parcel."""
    day = np.sort(DAYS * random.random(len(distance)))
    bought = FIRST + pd.to_timedelta((day * 86_400).astype(int), "s")
    level = 1.2 - 0.4 * day / DAYS
    expected = level * (4 + distance / 130) + (np.asarray(bought.dayofweek) >= 4)
    days = expected * random.lognormal(-0.06, 0.35, len(distance)) + 0.3
    # Lost and found again, but not in the last months: one such parcel would decide the figures of a small test split.
    lost = (random.random(len(distance)) < 0.005) & (day < 0.8 * DAYS)
    days = np.where(lost, days + random.uniform(60, 150, len(distance)), days)
    promised = np.ceil(expected + 8 + random.normal(0, 1.5, len(distance)))
    approved = bought + pd.to_timedelta((random.exponential(0.4, len(distance)) * 86_400).astype(int), "s")
    return bought, {
        "order_purchase_timestamp": _text(bought),
        "order_approved_at": _text(approved),
        "order_delivered_carrier_date": _text(bought + pd.to_timedelta((days * 28_000).astype(int), "s")),
        "order_delivered_customer_date": _text(bought + pd.to_timedelta((days * 86_400).astype(int), "s")),
        "order_estimated_delivery_date": _text((bought + pd.to_timedelta(promised, "D")).normalize()),
    }


def _with_more_items(random: Generator, items: pd.DataFrame, sellers: pd.DataFrame) -> pd.DataFrame:
    """One order in ten has a second item, and of these one in ten a second seller."""
    more = items.sample(len(items) // 10, random_state=random).assign(order_item_id=2)
    strangers = more.sample(len(more) // 10, random_state=random).index
    more.loc[strangers, "seller_id"] = random.choice(sellers["seller_id"], len(strangers))
    return pd.concat([items, more], ignore_index=True)


def _text(times: pd.DatetimeIndex) -> list[str]:
    return list(times.strftime("%Y-%m-%d %H:%M:%S"))
