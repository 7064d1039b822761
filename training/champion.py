"""The candidate beside the champion, on the same rows: those that the candidate was tested on."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from modelkit.columns import feature_matrix
from modelkit.definition import ModelDefinition, Task
from modelkit.errors import ServableError
from modelkit.gates import Gate
from modelkit.servable import Servable, load_servable
from training.frames import to_columns
from training.registry import EVALUATION, SERVABLE, Registry
from training.scores import main_metric, score
from training.version import Version

# A newer model may be this much worse than the one that serves; beyond it, promoting it would be a step back.
TOLERATED_RATIO = 1.02
TOLERATED_LOSS = 0.02
METRIC = "champion.difference"


def fetch_servable(
    definition: ModelDefinition, registry: Registry, version: Version, folder: Path
) -> Servable:
    """Downloaded and verified as serving will do it. Raises ServableError for a version that does not fit."""
    path = registry.download(version, SERVABLE, folder)
    return load_servable(path, definition, digest=version.digest)


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Figures of both versions, and the gate on their difference."""

    metrics: dict[str, float]
    gate: Gate


def compare(
    definition: ModelDefinition, registry: Registry, *, candidate: Version, champion: Version
) -> Comparison | None:
    """None where the champion no longer fits this code."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        rows = pd.read_parquet(registry.download(candidate, f"{EVALUATION}/test_rows.parquet", root))
        ours = _figure(definition, fetch_servable(definition, registry, candidate, root / "candidate"), rows)
        try:
            theirs = _figure(
                definition, fetch_servable(definition, registry, champion, root / "champion"), rows
            )
        except ServableError:
            return None
    if definition.task is Task.REGRESSION:
        loss, allowed = ours - theirs, theirs * (TOLERATED_RATIO - 1)
    else:
        loss, allowed = theirs - ours, TOLERATED_LOSS
    gate = Gate(name=f"champion (version {champion.number})", metric=METRIC, at_most=allowed)
    metrics = {METRIC: loss, "champion.theirs": theirs, "champion.ours": ours}
    return Comparison(metrics=metrics, gate=gate)


def _figure(definition: ModelDefinition, servable: Servable, rows: pd.DataFrame) -> float:
    features = definition.build(to_columns(rows, definition.row))
    outputs = servable.compiled.run(feature_matrix(features, definition.feature_columns))
    return score(definition, rows["label"].to_numpy(), outputs)[main_metric(definition)]
