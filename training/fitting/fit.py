"""Fitting a recipe's estimator on the rows of a cut, weighted where the recipe weighs them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from sklearn.compose import TransformedTargetRegressor
from sklearn.pipeline import Pipeline

from modelkit.definition import ModelDefinition
from training.evaluation.scores import Array
from training.fitting.cuts import Cut
from training.recipes import recipe_of

ORIGIN = "origin"


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """A fitted estimator and what it was fitted on. `trained_until` is None where no row has a time."""

    estimator: Any
    rows: int
    seconds: float
    trained_until: str | None

    def facts(self) -> dict[str, Any]:
        return {"rows": self.rows, "seconds": self.seconds, "trained_until": self.trained_until}


def fit(definition: ModelDefinition, knobs: Mapping[str, Any], features: pd.DataFrame, cut: Cut) -> Fitted:
    """`features` is the frame of the stage `featurize`; only rows of the cut are looked at."""
    rows = features[cut.rows]
    estimator = recipe_of(definition).make_estimator(knobs, knobs["seed"])
    chosen = chosen_rows(definition, knobs, rows)
    weights = row_weights(definition, knobs, chosen, cut.now)
    weighted = {} if weights is None else {weight_argument(estimator): weights}
    started = time.monotonic()
    estimator.fit(chosen[list(definition.feature_columns)], chosen["label"], **weighted)
    last = rows["time"].max()
    return Fitted(
        estimator=estimator,
        rows=len(rows),
        seconds=time.monotonic() - started,
        trained_until=None if pd.isna(last) else pd.Timestamp(last).isoformat(),
    )


def chosen_rows(definition: ModelDefinition, knobs: Mapping[str, Any], rows: pd.DataFrame) -> pd.DataFrame:
    """What the recipe makes of the rows that may be learned from; all of them, as they are, where it has no say."""
    choose = getattr(recipe_of(definition), "fitted_on", None)
    return rows if choose is None else choose(rows, knobs)


def with_copies(definition: ModelDefinition, knobs: Mapping[str, Any], rows: pd.DataFrame) -> pd.DataFrame:
    """Every row, and the copies that the recipe would learn from as well, each with the index of its row in ORIGIN."""
    numbered = rows.assign(**{ORIGIN: rows.index})
    chosen = chosen_rows(definition, knobs, numbered)
    left_out = numbered[~numbered[ORIGIN].isin(chosen[ORIGIN])]
    return pd.concat([chosen, left_out], ignore_index=True)


def row_weights(
    definition: ModelDefinition, knobs: Mapping[str, Any], rows: pd.DataFrame, now: pd.Timestamp | None
) -> Array | None:
    """None where the recipe weighs every row the same."""
    weigh = getattr(recipe_of(definition), "weights", None)
    return None if weigh is None else pd.Series(weigh(rows, knobs, now)).to_numpy(dtype="float64")


def weight_argument(estimator: Any) -> str:
    """The name under which an estimator's `fit` hands weights on to what learns inside it."""
    if isinstance(estimator, Pipeline):
        name, last = estimator.steps[-1]
        return f"{name}__{weight_argument(last)}"
    if isinstance(estimator, TransformedTargetRegressor):
        return weight_argument(estimator.regressor)
    return "sample_weight"
