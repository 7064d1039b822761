"""Preprocessing of order-delivery as `params.yaml` asks for it: every choice is a name, and every name is listed here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.model_selection import KFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import (
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)

from catalog.order_delivery.features import CATEGORIES, NUMBERS

# Below every value, so that trees can tell a missing one from every present one.
MISSING, UNKNOWN = -1_000.0, -1

IMPUTERS: dict[str, Callable[[], Any]] = {
    "constant": lambda: SimpleImputer(strategy="constant", fill_value=MISSING, keep_empty_features=True),
    "mean": lambda: SimpleImputer(strategy="mean", keep_empty_features=True),
    "median": lambda: SimpleImputer(strategy="median", keep_empty_features=True),
}
SCALERS: dict[str, Callable[[], Any]] = {
    "none": lambda: "passthrough",
    "standard": StandardScaler,
    "robust": RobustScaler,
    "min_max": MinMaxScaler,
}
ENCODERS: dict[str, Callable[[int], Any]] = {
    "ordinal": lambda seed: OrdinalEncoder(
        handle_unknown="use_encoded_value", unknown_value=UNKNOWN, encoded_missing_value=MISSING
    ),
    "one_hot": lambda seed: OneHotEncoder(handle_unknown="ignore", sparse_output=False),
    "target": lambda seed: TargetEncoder(
        target_type="continuous", cv=KFold(n_splits=5, shuffle=True, random_state=seed)
    ),
}


def make_preprocessing(params: Mapping[str, str], seed: int) -> ColumnTransformer:
    """Numbers first, in the order of `NUMBERS`; states after them. KeyError names a choice that there is not."""
    numbers = Pipeline([("impute", IMPUTERS[params["imputer"]]()), ("scale", SCALERS[params["scaler"]]())])
    first = len(NUMBERS)
    return ColumnTransformer(
        [
            ("numbers", numbers, list(range(first))),
            ("states", ENCODERS[params["encoder"]](seed), list(range(first, first + len(CATEGORIES)))),
        ],
        sparse_threshold=0.0,
    )
