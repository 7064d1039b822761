"""Features that both Olist models are built from: states as numbers, and what the times of an order say.

In the hot path of both, so numpy only and few calls. Missing stays NaN.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog._olist.states import STATES

Column = NDArray[Any]

SECONDS_PER_DAY = 86_400
# Times are divided, not cast: the quotient of a missing time is NaN, its cast is a large number.
# The shop opened in 2016: days are counted from there, so that float32 keeps seconds apart.
START, SECOND = np.datetime64("2016-01-01", "s"), np.timedelta64(1, "s")
# A state's place in the list is its code.
CODES: dict[str | None, float] = {state: float(code) for code, state in enumerate(STATES)} | {None: math.nan}

CALENDAR = (
    *("purchase_day", "purchase_weekday", "purchase_hour", "purchase_week_hour", "purchase_month_day"),
    *("promised_days", "promised_weekday", "promised_days_per_km"),
)


def state_codes(states: Column) -> Column:
    return np.array([CODES[state] for state in states.tolist()], dtype=np.float64)


def are_equal(codes: Column, others: Column) -> Column:
    """1 or 0; NaN where either is missing."""
    apart = codes - others
    return np.where(np.isnan(apart), np.nan, apart == 0)


def days(times: Column) -> Column:
    """Since the start of 2016, with their fraction."""
    return np.asarray((times - START) / SECOND / SECONDS_PER_DAY)


def calendar(purchased_at: Column, promised_at: Column, distance_km: Column) -> dict[str, Column]:
    """The columns of CALENDAR. The promise follows the platform's own expectation from month to month."""
    purchased, promised = days(purchased_at), days(promised_at)
    day = np.floor(purchased)
    weekday = (day + 4) % 7  # 1 January 2016 was a Friday; Monday is 0
    hour = (purchased - day) * 24
    months = purchased_at.astype("datetime64[M]")
    promised_days = promised - purchased
    return {
        "purchase_day": purchased,
        "purchase_weekday": weekday,
        "purchase_hour": hour,
        "purchase_week_hour": weekday * 24 + hour,
        "purchase_month_day": (purchased_at - months) / SECOND // SECONDS_PER_DAY + 1,
        "promised_days": promised_days,
        "promised_weekday": (np.floor(promised) + 4) % 7,
        "promised_days_per_km": promised_days / (distance_km + 100.0),
    }
