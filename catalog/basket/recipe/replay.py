"""The orders of all customers told again in time, so that nothing can be known before it happened.

`asked` and `as_of` share one loop: what a model learns from is what serving will look up.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from catalog.basket.recipe.cleaning import CleanLines
from catalog.basket.recipe.figures import Figures, figures_of
from catalog.basket.recipe.history import History
from catalog.basket.recipe.invoices import Invoice, invoices_of


class Kind(IntEnum):
    """At one moment a basket is asked about before anything else is known: not itself, and not its twin."""

    ASKED = 0
    PLACED = 1
    CANCELLED = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """A basket, and what was known of its customer just before."""

    invoice: Invoice
    figures: Figures


def asked(lines: CleanLines) -> Iterator[Asked]:
    """Every basket whose customer had one before, in the order of time."""
    histories: defaultdict[str, History] = defaultdict(History)
    for kind, invoice in _events(lines):
        history = histories[invoice.customer]
        if kind is not Kind.ASKED:
            _tell(history, kind, invoice)
        elif history.baskets:
            yield Asked(invoice=invoice, figures=figures_of(history))


def as_of(lines: CleanLines, moment: float) -> dict[str, Figures]:
    """Figures by customer from what happened before `moment` (days since 1970)."""
    histories: defaultdict[str, History] = defaultdict(History)
    for kind, invoice in _events(lines):
        if kind is not Kind.ASKED and invoice.closed < moment:
            _tell(histories[invoice.customer], kind, invoice)
    return {
        customer: figures_of(history) for customer, history in sorted(histories.items()) if history.baskets
    }


def _tell(history: History, kind: Kind, invoice: Invoice) -> None:
    if kind is Kind.PLACED:
        history.add(invoice)
    elif history.ordered:  # otherwise it takes back what was ordered before the data begins
        history.cancel(invoice)


def _events(lines: CleanLines) -> list[tuple[Kind, Invoice]]:
    placed, cancelled = list(invoices_of(lines.orders)), invoices_of(lines.cancellations)
    events = [(invoice.placed, Kind.ASKED, invoice) for invoice in placed]
    events += [(invoice.closed, Kind.PLACED, invoice) for invoice in placed]
    events += [(invoice.closed, Kind.CANCELLED, invoice) for invoice in cancelled]
    events.sort(key=lambda event: (event[0], event[1], event[2].number, event[2].customer))
    return [(kind, invoice) for _, kind, invoice in events]
