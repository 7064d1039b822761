"""Stage 2: request columns to feature columns, by the one `features.build` that serving also runs (lock 2 of 5)."""

from __future__ import annotations

import pandas as pd

from modelkit.definition import ModelDefinition
from modelkit.feature_code import feature_code_digest
from training.errors import PreparedDataInvalid
from training.files import write_json
from training.frames import to_columns
from training.layout import Layout
from training.params import ModelParams

CARRIED = ["label", "time", "known_at", "entity", "split"]


def featurize(definition: ModelDefinition, _params: ModelParams, layout: Layout) -> str:
    """Writes `features.parquet`: feature columns, label, time, known_at, entity and split, row for row as prepared; and
    which code built them."""
    rows = pd.read_parquet(layout.rows)
    built = definition.build(to_columns(rows, definition.row))
    if set(built) != set(definition.feature_columns):
        raise PreparedDataInvalid(f"{definition.name}: features.build and feature_columns disagree")
    features = pd.DataFrame({name: built[name] for name in definition.feature_columns}, dtype="float64")
    # A request's features reach the compiled model as float32: what is learned must not lie between two of them.
    features = features.astype("float32").astype("float64").join(rows[CARRIED])
    layout.features.parent.mkdir(parents=True, exist_ok=True)
    features.to_parquet(layout.features, index=False)
    write_json(layout.feature_code, {"digest": feature_code_digest(definition.build)})
    return f"{len(features)} rows, {len(definition.feature_columns)} features"
