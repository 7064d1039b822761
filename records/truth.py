"""What really happened after a prediction, as it is told; light, for the request process, which imports no SQLAlchemy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

# Beyond it nothing is summed: its square is a number still, also a billion times.
LARGEST = 1e100
# Farther from 0 nothing is believed to have happened, whatever the model.
PLAUSIBLE = 1e12


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
    """What a prediction's truth can be: one of `labels`, or a number where there are none, from -`most` to `most`."""

    labels: frozenset[str]
    most: float = PLAUSIBLE

    def refusal(self, actual: float | str) -> str:
        """Why this cannot be the truth; empty when it can."""
        if not self.labels:
            return self._no_number(actual)
        if not isinstance(actual, str):
            return "Input should be a label: the model predicts classes"
        return "" if actual in self.labels else "Input should be one of the model's classes"

    def _no_number(self, actual: float | str) -> str:
        if isinstance(actual, str):
            return "Input should be a number: the model predicts numbers"
        return "" if abs(actual) <= self.most else f"Input should be between {-self.most:g} and {self.most:g}"


def expected(said: Mapping[str, Any] | None, most: float = PLAUSIBLE) -> Expected:
    """`said` is what a classifier said beyond a number, its label and probabilities; a regressor says nothing there."""
    if said is None:
        return Expected(frozenset(), most)
    return Expected(frozenset(said.get("probabilities") or (said["prediction"],)))
