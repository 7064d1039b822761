"""Model time of one row, features included: measured apart from the service, on the core where servers run."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import cycle
from pathlib import Path
from statistics import quantiles

from bench.results import ModelTime
from modelkit.columns import feature_matrix
from modelkit.definition import ModelDefinition, load_catalog
from modelkit.errors import ServableError
from modelkit.rows import RowReader
from modelkit.servable import MANIFEST, Servable, load_servable

WARM_UP, REPEATS = 100, 2000


def measure_model_times(models: Path, *, catalog: str = "catalog", repeats: int = REPEATS) -> list[ModelTime]:
    """Of every trained model of the catalog, from `<models>/<name>/servable`; one that was not trained is left out."""
    trained = {
        name: definition
        for name, definition in load_catalog(catalog).items()
        if (models / name / "servable" / MANIFEST).exists()
    }
    return [
        _model_time(models / name / "servable", definition, repeats) for name, definition in trained.items()
    ]


def _model_time(folder: Path, definition: ModelDefinition, repeats: int) -> ModelTime:
    """A version that does not fit this tree is no reason to measure nothing else."""
    try:
        servable = load_servable(folder, definition)
    except ServableError as error:
        reason = str(error).removeprefix(f"{definition.name}: ")
        return ModelTime(model=definition.name, absent=f"{reason}; run `make train`")
    return _measure(definition, servable, repeats)


def _measure(definition: ModelDefinition, servable: Servable, repeats: int) -> ModelTime:
    """Golden rows in turn, each decoded before: what a request waits for once it is read."""
    reader = RowReader(definition.row)
    rows = cycle([reader.from_object(row) for row in servable.contract.golden_rows])

    def answer() -> None:
        features = definition.build(reader.columns([next(rows)]))
        servable.compiled.run(feature_matrix(features, definition.feature_columns))

    percentiles = quantiles(_milliseconds(answer, repeats), n=100, method="inclusive")
    return ModelTime(model=definition.name, repeats=repeats, p50_ms=percentiles[49], p95_ms=percentiles[94])


def _milliseconds(call: Callable[[], None], repeats: int) -> list[float]:
    for _ in range(WARM_UP):
        call()
    taken = []
    for _ in range(repeats):
        started = time.perf_counter()
        call()
        taken.append(1e3 * (time.perf_counter() - started))
    return taken
