"""Whether a compiled model answers what it was compiled from, and each row alone what it answers in a batch."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pandas as pd

from modelkit.definition import ModelDefinition
from modelkit.gates import judge
from modelkit.runtime import CompiledModel
from training.errors import CompileRefused
from training.evaluation.scores import Array, outputs_of
from training.fitting.intervals import Intervals, apply

ANSWERS, BOUNDS = "parity.max_abs_difference", "parity.interval_difference"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Source:
    """What a graph was compiled from."""

    definition: ModelDefinition
    pipeline: Any
    intervals: Intervals | None


def run(compiled: CompiledModel, definition: ModelDefinition, features: pd.DataFrame) -> Array:
    matrix = features[list(definition.feature_columns)].to_numpy(dtype=np.float32)
    return compiled.run(np.ascontiguousarray(matrix))


def measure(compiled: CompiledModel, source: Source, features: pd.DataFrame) -> dict[str, float]:
    """Largest differences over the rows: of answers, of their bounds, and between a batch and its rows."""
    outputs = run(compiled, source.definition, features).astype(np.float64)
    expected = outputs_of(source.pipeline, features, source.definition)
    answers = np.abs(outputs[:, : expected.shape[1]] - expected)
    found = {
        "max_abs_difference": float(answers.max()),
        "mean_abs_difference": float(answers.mean()),
        "batch_difference": _batch_difference(compiled, source.definition, features),
        "rows": len(features),
    }
    if source.intervals is not None:
        matrix = features[list(source.definition.feature_columns)].to_numpy()
        bounds = apply(source.intervals, matrix, outputs[:, 0])
        found["interval_difference"] = float(np.abs(outputs[:, 1:] - bounds).max())
    return found


def refuse_unfaithful(definition: ModelDefinition, metrics: dict[str, float]) -> None:
    """By the definition's own tolerance for answers, which holds for their bounds too."""
    gates = [gate for gate in definition.gates if gate.metric == ANSWERS]
    if not gates:
        raise CompileRefused(f"{definition.name} declares no gate on {ANSWERS}: state a tolerance")
    if BOUNDS in metrics:
        gates += [dataclasses.replace(gate, metric=BOUNDS) for gate in gates]
    failed = [result for result in judge(gates, metrics) if not result.passed]
    if failed:
        raise CompileRefused(f"{definition.name} is not compiled: {failed[0].sentence()}")


def _batch_difference(compiled: CompiledModel, definition: ModelDefinition, features: pd.DataFrame) -> float:
    """A caller must not be able to tell whether the row was computed alone, in a batch, or came from the cache."""
    together = run(compiled, definition, features)
    alone = [run(compiled, definition, features[row : row + 1]) for row in range(len(features))]
    return float(np.abs(together - np.concatenate(alone)).max())
