"""What a model must be worth more than: quick models that anybody would try first, declared beside its recipe."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

NEEDED_GAIN = 0.03


@dataclass(frozen=True, kw_only=True)
class QuickModel:
    """A model of an afternoon, neither crippled nor tuned. Frames are pandas', estimators scikit-learn's.

    `columns` makes what it sees of the row's columns, `estimator` learns from that; without one the single column is the
    answer. `usable` picks the rows to learn from and `weights(rows, now)` weighs them; both see times, no label.
    `required_only` compares it with answers to requests of required fields. `gain` is by which part our error shall be
    smaller at least; below 0 it may be larger, None asks for nothing.
    """

    name: str
    columns: Callable[[Any], Any]
    estimator: Any = None
    usable: Callable[[Any], Any] | None = None
    weights: Callable[[Any, Any], Any] | None = None
    required_only: bool = False
    gain: float | None = NEEDED_GAIN


@dataclass(frozen=True, kw_only=True)
class Peer:
    """Another model of the catalog that answers the same rows, in other units: its error times `factor`."""

    model: str
    factor: float
    gain: float


@dataclass(frozen=True, kw_only=True)
class Yardstick:
    """`metric` is `mae`, `rmse` or `accuracy`; rows count whose label is at most the `usual_share` quantile of those judged."""

    metric: str
    models: tuple[QuickModel, ...]
    peers: tuple[Peer, ...] = ()
    usual_share: float = 1.0
