"""What reports consist of, the same for a person's terminal and for `--json`."""

from __future__ import annotations

from datetime import datetime

import msgspec

from monitoring.intervals import Interval

ENOUGH = 30  # pairs; under it there is a sentence instead of figures
LATENCY_SHARES = (0.5, 0.95, 0.99)
DIFFERENCE_SHARES = (0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0)


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """Milliseconds."""

    p50: float
    p95: float
    p99: float


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """The challenger's figure minus production's, with a 95 % confidence interval; without one where callers are too few."""

    estimate: float
    low: float | None
    high: float | None
    says: str


class Arm(msgspec.Struct, frozen=True, kw_only=True):
    """Of units that no other arm answered, which are worth `effective_units` that ask alike. `error` is over the `labelled`
    rows, whose truth is known. `latency_ms` is of rows that were not cached.
    """

    version: str
    rows: int
    units: int
    effective_units: float
    cached_share: float
    mean_prediction: float | None
    labels: dict[str, int]
    labelled: int
    error: float | None
    latency_ms: Latency | None


class Split(msgspec.Struct, frozen=True, kw_only=True):
    """Whether units are split as they should be; `p_value` is None where nobody said how that is.

    `units_in_both` were sent to both versions, because the weight was changed; they are left out of everything else.
    """

    production_units: int
    challenger_units: int
    units_in_both: int
    expected_share: float | None
    p_value: float | None
    is_broken: bool
    says: str


class AbReport(msgspec.Struct, frozen=True, kw_only=True):
    """`enough` is False where the figures would say nothing; `says` is then the whole report.

    `left_out` are rows of versions, and how they came to answer, that are in neither arm.
    """

    model: str
    units: str
    error_name: str
    since: datetime
    until: datetime
    enough: bool
    says: list[str]
    split: Split | None = None
    production: Arm | None = None
    challenger: Arm | None = None
    prediction_difference: Difference | None = None
    error_difference: Difference | None = None
    left_out: dict[str, int] = {}
    method: str = ""


class Worst(msgspec.Struct, frozen=True, kw_only=True):
    """A row on which the two differ most."""

    prediction_id: str
    production: float | str
    challenger: float | str
    difference: float


class ShadowReport(msgspec.Struct, frozen=True, kw_only=True):
    """`differences` are quantiles of the challenger's answer minus the one that was given."""

    model: str
    units: str
    error_name: str
    since: datetime
    production: str = ""
    challenger: str = ""
    pairs: int = 0
    callers: int = 0
    effective_callers: float = 0.0
    enough: bool = False
    says: list[str] = []
    difference: Difference | None = None
    differences: dict[str, float] = {}
    disagreement: Difference | None = None
    confusion: dict[str, dict[str, int]] = {}
    labelled: int = 0
    error_difference: Difference | None = None
    production_latency_ms: Latency | None = None
    challenger_latency_ms: Latency | None = None
    worst: list[Worst] = []
    method: str = ""


def latency(values: list[float] | None) -> Latency | None:
    return None if values is None else Latency(p50=values[0], p95=values[1], p99=values[2])


def without_interval(estimate: float, says: str) -> Difference:
    return Difference(estimate=estimate, low=None, high=None, says=says)


def worded(found: Interval, says: str) -> Difference:
    return Difference(estimate=found.estimate, low=found.low, high=found.high, says=says)
