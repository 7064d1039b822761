"""Lines to invoices: a basket, or the cancellation of one, as one thing that happened at one time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

SECONDS_PER_DAY = 86_400
Line = tuple[str, float]  # a product at a price


@dataclass(frozen=True, kw_only=True, slots=True)
class Invoice:
    """One invoice. `placed` and `closed` are its first and last line's time, in days since 1970.

    A clerk may take minutes over an invoice: it is asked about when it begins and known when it is closed.
    """

    number: str
    customer: str
    placed: float
    closed: float
    value: float
    items: int
    units: float
    median_price: float
    largest_line: float
    domestic: bool
    codes: frozenset[str]
    lines: tuple[tuple[Line, float], ...]

    def quantities(self) -> Counter[Line]:
        """Units by product and price."""
        found: Counter[Line] = Counter()
        for line, quantity in self.lines:
            found[line] += quantity  # type: ignore[assignment]
        return found


def invoices_of(lines: pd.DataFrame) -> Iterator[Invoice]:
    """Invoices in the order of their number. One that names two customers is two."""
    lines = lines.sort_values(["invoice", "customer"], kind="stable")
    days = (lines["time"] - pd.Timestamp(0)).dt.total_seconds() / SECONDS_PER_DAY
    groups = lines.assign(days=days).groupby(["invoice", "customer"], sort=True)
    facts = groups.agg(
        placed=("days", "min"),
        closed=("days", "max"),
        value=("value", "sum"),
        items=("code", "nunique"),
        units=("quantity", "sum"),
        median_price=("price", "median"),
        largest_line=("value", "max"),
        domestic=("domestic", "first"),
        size=("value", "size"),
    )
    codes, prices, quantities = (
        lines[name].astype(object).tolist() for name in ("code", "price", "quantity")
    )
    start = 0
    for number, customer, *numbers, size in facts.reset_index().itertuples(index=False, name=None):
        end = start + size
        named: dict[str, Any] = dict(zip(facts.columns, numbers, strict=False))
        pairs = zip(codes[start:end], prices[start:end], strict=True)
        yield Invoice(
            number=number,
            customer=customer,
            codes=frozenset(codes[start:end]),
            lines=tuple(zip(pairs, quantities[start:end], strict=True)),
            **named,
        )
        start = end
