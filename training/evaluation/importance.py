"""What a model's answers rest on: how much worse they get when one feature is shuffled among the rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from modelkit.definition import ModelDefinition
from training.evaluation.scores import losses, outputs_of

SAMPLED_ROWS, REPEATS, SEED = 400, 3, 0


def permutation_importance(
    definition: ModelDefinition, pipeline: Any, features: pd.DataFrame
) -> pd.DataFrame:
    """`feature`, `importance` (mean rise of the loss: absolute error or log loss) and `spread`, greatest first.

    All shuffled copies of one repeat go through the pipeline in one call: a stack of ensembles is slow to start.
    """
    sample = features.sample(min(SAMPLED_ROWS, len(features)), random_state=SEED)
    labels, names = sample["label"].to_numpy(), list(definition.feature_columns)
    matrix = sample[names].to_numpy(dtype=np.float64)
    base = losses(definition, labels, outputs_of(pipeline, sample, definition)).mean()
    random = np.random.default_rng(SEED)
    rises = np.empty((REPEATS, len(names)))
    for repeat in range(REPEATS):
        shuffled = np.repeat(matrix[np.newaxis], len(names), axis=0)
        for place in range(len(names)):
            shuffled[place, :, place] = random.permutation(matrix[:, place])
        together = pd.DataFrame(shuffled.reshape(-1, len(names)), columns=names)
        outputs = outputs_of(pipeline, together, definition)
        lost = losses(definition, np.tile(labels, len(names)), outputs)
        rises[repeat] = lost.reshape(len(names), -1).mean(axis=1) - base
    found = pd.DataFrame({"feature": names, "importance": rises.mean(axis=0), "spread": rises.std(axis=0)})
    return found.sort_values(["importance", "feature"], ascending=[False, True], ignore_index=True)
