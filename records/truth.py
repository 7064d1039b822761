"""What really happened after a prediction, as it is told; light, for the request process, which imports no SQLAlchemy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

# Beyond it nothing is summed: its square is a number still, also a billion times.
LARGEST = 1e100


class Truth(msgspec.Struct, frozen=True, gc=False):
    """One prediction's truth: a number, or a label."""

    prediction_id: str
    actual: float | str


@dataclass(frozen=True, kw_only=True)
class Told:
    """How many were new, there already with the same value, or there with another one."""

    accepted: int
    repeated: int
    changed: int


@dataclass(frozen=True, slots=True)
class Expected:
    """What a prediction's truth can be: one of `labels`, or a number where there are none."""

    labels: frozenset[str]

    def refusal(self, actual: float | str) -> str:
        """Why this cannot be the truth; empty when it can."""
        if not self.labels:
            return "Input should be a number: the model predicts numbers" if isinstance(actual, str) else ""
        if not isinstance(actual, str):
            return "Input should be a label: the model predicts classes"
        return "" if actual in self.labels else "Input should be one of the model's classes"


def expected(said: Mapping[str, Any] | None) -> Expected:
    """`said` is what a classifier said beyond a number, its label and probabilities; a regressor says nothing there."""
    if said is None:
        return Expected(frozenset())
    return Expected(frozenset(said.get("probabilities") or (said["prediction"],)))
