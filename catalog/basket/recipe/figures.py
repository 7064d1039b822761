"""A history as the row of numbers that the feature view keeps for its customer."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from statistics import fmean

from catalog.basket.features import VISIT_DAYS
from catalog.basket.recipe.history import Basket, History

FORGETTING = 0.75
Figures = dict[str, float | None]


def figures_of(history: History) -> Figures:
    """The fields of `BasketFeatures`. The history has at least one basket."""
    baskets = history.baskets
    last = baskets[-1]
    return {
        "prior_basket_value": last.invoice.value,
        "prior_item_count": last.invoice.items,
        "prior_regulars_count": last.regulars,
        "regulars_count": history.regulars,
        "basket_count": len(baskets),
        **_values([basket.invoice.value for basket in baskets]),
        **_visits(baskets),
        **_cancellations(history),
        **_contents(baskets),
        "product_count": len(history.bought),
        "domestic": float(last.invoice.domestic),
    }


def _values(values: Sequence[float]) -> Figures:
    logs, ordered = [math.log1p(value) for value in values], sorted(values)
    mean = fmean(logs)
    weights = [FORGETTING**age for age in range(len(logs) - 1, -1, -1)]
    recent = sum(log * weight for log, weight in zip(logs, weights, strict=True)) / sum(weights)
    spread = math.sqrt(fmean((log - mean) ** 2 for log in logs)) if len(logs) > 1 else None
    return {
        "mean_value": fmean(values),
        "log_mean_value": math.expm1(mean),
        "log_spread": spread,
        "recent_log_mean": math.expm1(recent),
        "smallest_value": ordered[0],
        "lower_quartile": _quantile(ordered, 0.25),
        "median_value": _quantile(ordered, 0.5),
        "upper_quartile": _quantile(ordered, 0.75),
        "largest_value": ordered[-1],
        "recent_median": _median(values[-5:]),
        "second_last_value": _from_end(values, 2),
        "third_last_value": _from_end(values, 3),
        "fourth_last_value": _from_end(values, 4),
    }


def _visits(baskets: Sequence[Basket]) -> Figures:
    times = [basket.invoice.placed for basket in baskets]
    opens = [True, *(later - earlier >= VISIT_DAYS for earlier, later in pairwise(times))]
    visits: list[float] = []
    begun: list[float] = []
    openings: list[float] = []
    follow_ups: list[float] = []
    for basket, time, first in zip(baskets, times, opens, strict=True):
        value = basket.invoice.value
        if first:
            visits.append(value)
            begun.append(time)
            openings.append(value)
        else:
            visits[-1] += value
            follow_ups.append(value)
    gaps = [later - earlier for earlier, later in pairwise(begun)]
    return {
        "visit_count": len(visits),
        "last_visit_value": visits[-1],
        "second_last_visit_value": _from_end(visits, 2),
        "log_mean_visit": _log_mean(visits),
        "median_visit": _median(visits),
        "median_opening": _median(openings),
        "log_mean_follow_up": _log_mean(follow_ups) if follow_ups else None,
        "follow_up_share": len(follow_ups) / len(baskets),
        "median_visit_gap": _median(gaps) if gaps else None,
        "last_visit_gap": _from_end(gaps, 1),
        "last_gap": max(0.0, times[-1] - times[-2]) if len(times) > 1 else None,
        "active_days": max(0.0, times[-1] - times[0]),
        "last_basket_at": times[-1],
        "second_last_basket_at": _from_end(times, 2),
        "last_visit_at": begun[-1],
    }


def _cancellations(history: History) -> Figures:
    last = history.last_cancellation
    return {
        "last_cancellation_at": last.closed if last else None,
        "last_cancelled_value": last.value if last else None,
        "cancellation_count": history.cancellations,
        "cancelled_share": history.cancelled / history.ordered,
    }


def _contents(baskets: Sequence[Basket]) -> Figures:
    invoices = [basket.invoice for basket in baskets]
    items = [invoice.items for invoice in invoices]
    return {
        "mean_items": fmean(items),
        "median_items": _median(items),
        "last_median_price": invoices[-1].median_price,
        "mean_median_price": fmean(invoice.median_price for invoice in invoices),
        "last_units": invoices[-1].units,
        "median_units": _median(invoice.units for invoice in invoices),
        "last_largest_line": invoices[-1].largest_line,
        "median_largest_line": _median(invoice.largest_line for invoice in invoices),
    }


def _from_end(values: Sequence[float], place: int) -> float | None:
    return values[-place] if len(values) >= place else None


def _log_mean(values: Sequence[float]) -> float:
    return math.expm1(fmean(math.log1p(value) for value in values))


def _median(values: Iterable[float]) -> float:
    return _quantile(sorted(values), 0.5)


def _quantile(ordered: Sequence[float], share: float) -> float:
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])
