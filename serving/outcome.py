"""What a model says about one row, apart from who asked and when: the thing that is cached."""

from __future__ import annotations

import math

import msgspec


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """A regressor gives a number, with bounds where its version has them; a classifier a label and the probability of each.

    The fields of a regressor stand in the order of the compiled model's columns.
    """

    prediction: float | str
    lower: float | None = None
    upper: float | None = None
    probabilities: dict[str, float] | None = None

    @property
    def number(self) -> float | None:
        return self.prediction if isinstance(self.prediction, float) else None

    def is_finite(self) -> bool:
        if isinstance(self.prediction, str):
            return self.probabilities is None or all(map(math.isfinite, self.probabilities.values()))
        return math.isfinite(self.prediction)


encode_outcome = msgspec.json.Encoder().encode
decode_outcome = msgspec.json.Decoder(Outcome).decode
