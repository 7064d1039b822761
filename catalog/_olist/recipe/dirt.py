"""The dirt of the real Olist tables, put into synthetic ones: what a recipe must live with."""

from __future__ import annotations

import pandas as pd
from numpy.random import Generator

from catalog._olist.recipe.raw import CUSTOMERS, ITEMS, ORDERS, PLACES, PRODUCTS, SELLERS

UNDELIVERED = ("shipped", "canceled", "unavailable", "invoiced", "processing")
DELIVERY = "order_delivered_customer_date"
CARRIER = "order_delivered_carrier_date"


def soil(frames: dict[str, pd.DataFrame], random: Generator) -> None:
    """Changes the tables in place."""
    _soil_orders(frames, random)
    _soil_products(frames[PRODUCTS], random)
    _soil_places(frames, random)


def _soil_orders(frames: dict[str, pd.DataFrame], random: Generator) -> None:
    orders = frames[ORDERS]
    some = iter(random.permutation(len(orders)))

    def take(rows: int) -> list[int]:
        return [int(next(some)) for _ in range(rows)]

    undelivered = take(len(orders) // 10)
    orders.loc[undelivered, "order_status"] = random.choice(UNDELIVERED, len(undelivered))
    orders.loc[undelivered, DELIVERY] = ""
    orders.loc[take(8), DELIVERY] = ""
    early = take(15)
    orders.loc[early, CARRIER] = "2016-12-31 08:00:00"
    late = take(5)
    orders.loc[late, CARRIER] = "2018-12-31 08:00:00"
    rounded = take(len(orders) // 8)
    times = orders.loc[rounded, "order_purchase_timestamp"]
    orders.loc[rounded, "order_purchase_timestamp"] = times.str.slice(0, 16) + ":00"
    # Most orders without items were cancelled; a few were delivered all the same.
    empty = set(orders.loc[[*undelivered[: len(undelivered) // 2], *take(6)], "order_id"])
    frames[ITEMS] = frames[ITEMS][~frames[ITEMS]["order_id"].isin(empty)].reset_index(drop=True)


def _soil_products(products: pd.DataFrame, random: Generator) -> None:
    products[products.columns[1:]] = products[products.columns[1:]].astype(str)
    anonymous = random.choice(len(products), 24, replace=False)
    products.loc[anonymous, ["product_category_name", "product_name_lenght", "product_photos_qty"]] = ""
    sizes = ["product_weight_g", "product_length_cm", "product_height_cm", "product_width_cm"]
    products.loc[anonymous[:2], sizes] = ""
    products.loc[anonymous[2:6], "product_weight_g"] = "0"


def _soil_places(frames: dict[str, pd.DataFrame], random: Generator) -> None:
    """Prefixes that have no place, in a city that has and in one that has not; prefixes placed abroad; accents."""
    customers, sellers, places = frames[CUSTOMERS], frames[SELLERS], frames[PLACES]
    homeless = random.choice(len(customers), 20, replace=False)
    customers.loc[homeless, "customer_zip_code_prefix"] = "99998"
    customers.loc[homeless[:8], "customer_city"] = "vila nova"
    sellers.loc[random.choice(len(sellers), 2, replace=False), "seller_zip_code_prefix"] = "99997"
    abroad = random.choice(len(places), 4, replace=False)
    places.loc[abroad, ["geolocation_lat", "geolocation_lng"]] = [41.15, -8.61]
    accented = customers["customer_city"] == "sao paulo"
    chosen = accented & (random.random(len(customers)) < 0.1)
    customers.loc[chosen, "customer_city"] = "são paulo"
