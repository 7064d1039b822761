"""Stage 3: fit the recipe's estimator on the training split."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pandas as pd

from modelkit.definition import ModelDefinition
from training.files import write_json
from training.layout import Layout
from training.params import ModelParams
from training.pipeline_file import save_pipeline
from training.recipes import recipe_of


def train(definition: ModelDefinition, params: ModelParams, layout: Layout) -> str:
    """Writes the fitted pipeline and `train.json`."""
    features = pd.read_parquet(layout.features)
    rows = features[features["split"] == "train"]
    estimator = recipe_of(definition).make_estimator(params.train, params.train["seed"])
    started = time.monotonic()
    estimator.fit(rows[list(definition.feature_columns)], rows["label"])
    seconds = time.monotonic() - started
    save_pipeline(estimator, layout.pipeline)
    trained_at = datetime.now(UTC).isoformat(timespec="seconds")
    write_json(layout.training_facts, {"rows": len(rows), "seconds": seconds, "trained_at": trained_at})
    return f"{len(rows)} rows in {seconds:.1f} s"
