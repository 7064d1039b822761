"""Stage 3: the recipe's estimator, fitted twice.

The evaluation model knows what was known before the valid split; it is judged on the test split. The final model, fitted
the same way on everything whose label is known at the end of the data, is the one that serves.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pandas as pd

from modelkit.definition import ModelDefinition, Task
from training.files import write_json
from training.fitting.calibration import held_out
from training.fitting.cuts import evaluation_cut, final_cut
from training.fitting.fit import Fitted, fit
from training.fitting.intervals import Intervals, calibrate, write_intervals
from training.fitting.pipeline_file import save_pipeline
from training.layout import Layout
from training.params import ModelParams


def train(definition: ModelDefinition, params: ModelParams, layout: Layout) -> str:
    """Writes both fitted pipelines, the intervals around a regressor's answers, and `train.json`."""
    features = pd.read_parquet(layout.features)
    evaluated = fit(definition, params.train, features, evaluation_cut(features))
    final = fit(definition, params.train, features, final_cut(features))
    save_pipeline(evaluated.estimator, layout.evaluated_pipeline)
    save_pipeline(final.estimator, layout.pipeline)
    write_intervals(_intervals(definition, params, features, evaluated), layout.intervals)
    trained_at = datetime.now(UTC).isoformat(timespec="seconds")
    facts = final.facts() | {"trained_at": trained_at, "evaluated": evaluated.facts()}
    write_json(layout.training_facts, facts)
    return (
        f"{final.rows} rows in {final.seconds:.1f} s, "
        f"to be judged by one of {evaluated.rows} rows in {evaluated.seconds:.1f} s"
    )


def _intervals(
    definition: ModelDefinition, params: ModelParams, features: pd.DataFrame, evaluated: Fitted
) -> Intervals | None:
    """From errors that were known before the test split: of the evaluation model, and of older ones where knobs ask for them."""
    if definition.task is not Task.REGRESSION:
        return None
    errors = held_out(definition, params.train, features, evaluated.estimator)
    return calibrate(errors, coverage=definition.interval_coverage, least=definition.least)
