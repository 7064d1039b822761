"""Which errors bounds are calibrated on: those that were known before the test split, from one or more moments in the past.

Where labels come late, the errors that are known are those of the quick: of what was bought last week, only what has
arrived. A row counts by the inverse of its chance to be known by now (inverse probability of censoring weights: Robins and
Rotnitzky 1992; under conformal bounds: Candès, Lei and Ren 2023), which is the share of rows old enough for its delay.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from modelkit.definition import ModelDefinition
from training.evaluation.scores import Array, outputs_of
from training.fitting.cuts import calibration_cut, known_at
from training.fitting.fit import ORIGIN, fit, row_weights, with_copies
from training.fitting.intervals import Calibration
from training.fitting.origins import Origin, past_origins

# A row that one in ten of its age would show stands for ten, and no row for more.
LEAST_CHANCE = 0.1
# A rank correlation with time beyond which a column is a clock.
CLOCK = 0.9
ANSWER, WEIGHT = "answer", "weight"


def held_out(
    definition: ModelDefinition, knobs: Mapping[str, Any], features: pd.DataFrame, evaluated: Any
) -> Calibration:
    """`origins` of the knobs is how many moments in the past count; `evaluated` is the model of the latest.

    Where the recipe learns from copies with gaps, callers who know less are promised the same coverage: the rows count
    once more as its copies are.
    """
    origins = past_origins(features, knobs.get("origins", 1))
    models = [evaluated, *(fit(definition, knobs, features, origin.cut).estimator for origin in origins[1:])]
    now = calibration_cut(features).now
    parts = []
    for origin, model in zip(origins, models, strict=True):
        rows = with_copies(definition, knobs, features[origin.judged])
        weights = row_weights(definition, knobs, rows, now)
        answers = outputs_of(model, rows, definition)[:, 0]
        parts.append(rows.assign(**{ANSWER: answers, WEIGHT: 1.0 if weights is None else weights}))
    rows = pd.concat(parts, ignore_index=True)
    chances = 1.0 if now is None else chance_known(features, origins, rows, now)
    return Calibration(
        features=rows[list(definition.feature_columns)].to_numpy(),
        predictions=rows[ANSWER].to_numpy(),
        labels=rows["label"].to_numpy(),
        weights=rows[WEIGHT].to_numpy() / chances,
        origins=rows[ORIGIN].to_numpy(),
        clocks=clocks(definition, rows),
    )


def clocks(definition: ModelDefinition, rows: pd.DataFrame) -> tuple[int, ...]:
    """Places of feature columns that put the rows in the order of time, or nearly so."""
    found = []
    for place, name in enumerate(definition.feature_columns):
        present = rows[rows[name].notna() & rows["time"].notna()]
        if present[name].nunique() > 1 and present["time"].nunique() > 1:
            agreement = present[name].rank().corr(present["time"].rank())
            if abs(agreement) > CLOCK:
                found.append(place)
    return tuple(found)


def chance_known(
    features: pd.DataFrame, origins: list[Origin], rows: pd.DataFrame, now: pd.Timestamp
) -> Array:
    """For each row, how many of all rows in the windows are old enough that a label as late as its own were known now."""
    ages = np.sort(
        np.concatenate([(now - features.loc[origin.window, "time"]).to_numpy() for origin in origins])
    )
    delays = (known_at(rows) - rows["time"]).to_numpy()
    younger = np.searchsorted(ages, delays.astype(ages.dtype), side="left")
    return np.asarray(np.maximum(1 - younger / len(ages), LEAST_CHANCE))
