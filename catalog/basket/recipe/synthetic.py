"""A seeded stand-in for the raw file of basket: same columns, units and dirt, no account needed."""

from __future__ import annotations

import gzip
from typing import Any

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray

from catalog.basket.recipe.dirt import soil
from catalog.basket.recipe.raw import COLUMNS, LINES

CUSTOMERS, PRODUCTS = 400, 600
FIRST_DAY, DAYS = pd.Timestamp("2010-12-01"), 355
FOLLOW_UPS = 0.12


def synthesise(seed: int) -> dict[str, bytes]:
    """The bytes of the raw file; the same seed gives the same bytes."""
    random = np.random.default_rng(seed)
    lines = soil(_lines(_invoices(random), random), random)
    lines = lines.sort_values(["InvoiceDate", "InvoiceNo"], kind="stable")[list(COLUMNS)]
    return {LINES: gzip.compress(lines.to_csv(index=False).encode(), mtime=0)}


def _invoices(random: Generator) -> pd.DataFrame:
    """Customers have a usual value and a usual gap; some orders are followed by a small one within minutes."""
    usual, gap = random.normal(5.6, 0.7, CUSTOMERS), random.uniform(15, 110, CUSTOMERS)
    counts = random.poisson(DAYS / gap) + 1
    customer = np.repeat(np.arange(CUSTOMERS), counts)
    day = np.sort(random.integers(0, DAYS, len(customer)))
    day = day[np.argsort(np.argsort(random.random(len(customer))))]
    minute = random.integers(8 * 60, 18 * 60, len(customer))
    value = np.exp(usual[customer] + random.normal(0, 0.45, len(customer)))
    first = pd.DataFrame({"customer": customer, "at": day * 1440 + minute, "value": value})
    again = first.sample(frac=FOLLOW_UPS, random_state=int(random.integers(2**31)))
    shrunk = again["value"] * random.uniform(0.05, 0.3, len(again))
    again = again.assign(at=again["at"] + random.integers(1, 30, len(again)), value=shrunk)
    found = pd.concat([first, again]).sort_values("at", kind="stable").reset_index(drop=True)
    return found.assign(number=536_365 + np.arange(len(found)))


def _lines(invoices: pd.DataFrame, random: Generator) -> pd.DataFrame:
    """Products of a basket; customers come back to a few of their own."""
    count = 1 + random.poisson(np.clip(invoices["value"].to_numpy() / 60, 0.5, 9))
    owner = np.repeat(np.arange(len(invoices)), count)
    customer = invoices["customer"].to_numpy()[owner]
    own = (customer * 37 + random.integers(0, 12, len(owner))) % PRODUCTS
    product = np.where(random.random(len(owner)) < 0.6, own, random.integers(0, PRODUCTS, len(owner)))
    price = np.round(np.exp(random.normal(1.0, 0.6, PRODUCTS)), 2)[product]
    share = random.dirichlet(np.full(12, 4.0), len(owner))[:, 0] + 0.01
    share /= np.bincount(owner, share)[owner]
    quantity = np.maximum(1, np.round(invoices["value"].to_numpy()[owner] * share / price)).astype(int)
    at = FIRST_DAY + pd.to_timedelta(invoices["at"].to_numpy()[owner], unit="min")
    return pd.DataFrame(
        {
            "InvoiceNo": invoices["number"].to_numpy()[owner].astype(str),
            "StockCode": _codes(product),
            "Description": [f"GIFT {number}" for number in product],
            "Quantity": quantity,
            "InvoiceDate": at.strftime("%Y-%m-%d %H:%M:%S"),
            "UnitPrice": price,
            "CustomerID": (12_346 + customer).astype(str),
            "Country": np.where(customer % 10 == 0, "Germany", "United Kingdom"),
        }
    )


def _codes(product: NDArray[Any]) -> list[str]:
    return [f"{20_700 + number}{'B' if number % 5 == 0 else ''}" for number in product.tolist()]
