"""What is known of one customer at a moment: baskets and cancellations are added as they happen, and never looked at before."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from catalog.basket.recipe.invoices import Invoice, Line


@dataclass(slots=True)
class Basket:
    """A basket in a history. `regulars` are its products that earlier baskets had; `left` what was not cancelled."""

    invoice: Invoice
    regulars: int
    left: Counter[Line] | None = None


@dataclass(slots=True)
class History:
    """A basket that was cancelled as a whole is none: it leaves the history at the moment of its cancellation."""

    baskets: list[Basket] = field(default_factory=list)
    bought: Counter[str] = field(default_factory=Counter)
    regulars: int = 0
    ordered: float = 0.0
    cancelled: float = 0.0
    cancellations: int = 0
    last_cancellation: Invoice | None = None

    def add(self, invoice: Invoice) -> None:
        before = [self.bought.get(code, 0) for code in invoice.codes]
        self.regulars += before.count(1)
        self.bought.update(invoice.codes)
        self.baskets.append(Basket(invoice, regulars=len(before) - before.count(0)))
        self.ordered += invoice.value

    def cancel(self, cancellation: Invoice) -> None:
        """Takes units back from the latest baskets that have them; some were ordered before the data begins."""
        self.cancelled += cancellation.value
        self.cancellations += 1
        self.last_cancellation = cancellation
        for line, quantity in cancellation.quantities().items():
            self._take_back(line, quantity)
        gone = [basket for basket in self.baskets if basket.left is not None and not +basket.left]
        for basket in gone:
            self._remove(basket)

    def _take_back(self, line: Line, quantity: float) -> None:
        for basket in reversed(self.baskets):
            if line[0] not in basket.invoice.codes:
                continue
            if basket.left is None:
                basket.left = basket.invoice.quantities()
            taken = min(quantity, basket.left[line])
            basket.left[line] -= taken  # type: ignore[assignment]
            quantity -= taken
            if not quantity:
                return

    def _remove(self, basket: Basket) -> None:
        self.baskets.remove(basket)
        self.bought.subtract(basket.invoice.codes)
        self.bought = +self.bought
        self.regulars = sum(1 for count in self.bought.values() if count >= 2)
