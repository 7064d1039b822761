"""Where customers and sellers are: the coordinate of a zip prefix, or the nearest thing that is known."""

from __future__ import annotations

import unicodedata
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import pandas as pd

from catalog._olist.recipe.raw import numbers_of, read_table

AXES = ["lat", "lng"]
# Brazil with its islands; some prefixes were placed in Europe or at sea.
NORTH, SOUTH, WEST, EAST = 6.0, -34.5, -74.5, -28.0


@dataclass(frozen=True)
class Places:
    """Coordinates by prefix, and the middle (median) of a city and of a state; `country` stands in for everything."""

    prefixes: pd.DataFrame
    cities: pd.DataFrame
    states: pd.DataFrame
    country: pd.Series

    @classmethod
    def read(cls, path: Path, repaired: Counter[str]) -> Self:
        table = read_table(path).drop_duplicates("geolocation_zip_code_prefix")
        frame = pd.DataFrame(
            {
                "zip": table["geolocation_zip_code_prefix"],
                "city": _city(table["geolocation_city"], table["geolocation_state"]),
                "state": table["geolocation_state"],
                "lat": numbers_of(table["geolocation_lat"]),
                "lng": numbers_of(table["geolocation_lng"]),
            }
        )
        inside = frame["lat"].between(SOUTH, NORTH) & frame["lng"].between(WEST, EAST)
        if outside := int((~inside).sum()):
            repaired["prefix placed outside Brazil, not used"] += outside
        frame = frame[inside]
        return cls(
            frame.set_index("zip")[AXES],
            frame.groupby("city")[AXES].median(),
            frame.groupby("state")[AXES].median(),
            frame[AXES].median(),
        )

    def locate_sellers(self, rows: pd.DataFrame) -> pd.DataFrame:
        """`seller_lat` and `seller_lng`, missing where the prefix has no place."""
        found = self.prefixes.reindex(rows["seller_zip"])
        return rows.assign(seller_lat=found["lat"].to_numpy(), seller_lng=found["lng"].to_numpy())

    def locate_customers(self, rows: pd.DataFrame, repaired: Counter[str]) -> pd.DataFrame:
        """`customer_lat` and `customer_lng`, never missing: a request must carry them."""
        city = _city(rows["customer_city"], rows["customer_state"])
        found = _look_up(self.prefixes, rows["customer_zip_code_prefix"], rows.index)
        for name, table, keys in (
            ("city", self.cities, city),
            ("state", self.states, rows["customer_state"]),
        ):
            stand_in = _look_up(table, keys, rows.index)
            helped = found["lat"].isna() & stand_in["lat"].notna()
            if helped.any():
                repaired[f"customer's prefix has no place, middle of the {name}"] += int(helped.sum())
            found = found.fillna(stand_in)
        if lost := int(found["lat"].isna().sum()):
            repaired["customer's place unknown, middle of the country"] += lost
        found = found.fillna(self.country.fillna(0.0))
        return rows.assign(customer_lat=found["lat"], customer_lng=found["lng"])


def _look_up(table: pd.DataFrame, keys: pd.Series, index: pd.Index) -> pd.DataFrame:
    return table.reindex(keys).set_axis(index)


def _city(city: pd.Series, state: pd.Series) -> pd.Series:
    """City names come with and without accents."""
    plain = city.fillna("").map(
        lambda name: unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    )
    return plain.str.cat(state.fillna("").astype(str), sep="|")
