"""Materialising: the features of every entity as of one moment, from raw data to the place that serving reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pandas as pd

from modelkit.definition import FeatureView
from modelkit.view_rows import ViewRows
from training.errors import FeaturesInvalid, TrainingError
from training.features.feature_set import feature_set
from training.features.feature_stores import feature_store
from training.recipes import Recipe


def materialize(
    view: FeatureView, recipe: Recipe, raw: Path, url: str, *, as_of: pd.Timestamp | None = None
) -> str:
    """Writes the view's rows as of a moment, the end of the data where none is given. Says what it did."""
    moment = end_of_data(recipe, raw) if as_of is None else as_of
    features = feature_set(ViewRows(view), _rows_as_of(recipe, raw, moment))
    wrote = "written" if feature_store(url).replace(features) else "unchanged"
    return f"{len(features.keys)} rows of {view.name} as of {moment:%Y-%m-%d %H:%M}, {wrote}"


def end_of_data(recipe: Recipe, raw: Path) -> pd.Timestamp:
    """Just after the last thing that the raw data knows, so that all of it counts."""
    labelled, _ = recipe.labelled(raw)
    times = labelled[["time", "known_at"]].max().dropna()
    if times.empty:
        raise FeaturesInvalid("the data has no time: say as of when with --as-of")
    return cast(pd.Timestamp, times.max() + pd.Timedelta(seconds=1))


def _rows_as_of(recipe: Any, raw: Path, moment: pd.Timestamp) -> pd.DataFrame:
    materialise = getattr(recipe, "materialise", None)
    if materialise is None:
        raise TrainingError("the recipe has no `materialise`, and its model has a view")
    return cast(pd.DataFrame, materialise(raw, moment))
