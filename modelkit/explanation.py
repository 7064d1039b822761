"""An explanation as it is answered and cached. What computes one is `modelkit.explaining`, which no request process imports."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class By(StrEnum):
    FIELDS = "fields"
    FEATURES = "features"


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """`value` is the number that is explained: the prediction, or the probability of the class that it names.

    `standard_error` is that of each contribution where they are estimated (`permutation`), None where they are not.
    """

    prediction: float | str
    value: float
    base_value: float
    contributions: dict[str, float]
    standard_error: dict[str, float] | None
    by: str
    method: str
    background_rows: int
    background_source: str
