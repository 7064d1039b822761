"""How long the compiled servable takes, features included: what a request waits for once it is decoded."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modelkit.columns import feature_matrix
from modelkit.definition import ModelDefinition
from modelkit.rows import RowReader
from modelkit.runtime import CompiledModel

WARM_UP, REPEATS, BATCH = 50, 1000, 32


def measure_latency(
    definition: ModelDefinition, compiled: CompiledModel, rows: Sequence[Mapping[str, Any]]
) -> dict[str, float]:
    """Milliseconds for one row and microseconds a row in a batch; of `rows` the first is the one."""
    reader = RowReader(definition.row)
    examples = [reader.from_object(dict(row)) for row in rows]
    batch = (examples * BATCH)[:BATCH]

    def answer(rows: list[object]) -> None:
        features = definition.build(reader.columns(rows))  # type: ignore[arg-type]
        compiled.run(feature_matrix(features, definition.feature_columns))

    one = _times(lambda: answer([examples[0]])) * 1e3
    many = _times(lambda: answer(list(batch))) * 1e6 / BATCH
    return {
        "p50_ms": float(np.quantile(one, 0.5)),
        "p95_ms": float(np.quantile(one, 0.95)),
        "batch32_p50_us_per_row": float(np.quantile(many, 0.5)),
    }


def _times(call: Callable[[], None]) -> NDArray[np.float64]:
    for _ in range(WARM_UP):
        call()
    seconds = np.empty(REPEATS)
    for index in range(REPEATS):
        started = time.perf_counter()
        call()
        seconds[index] = time.perf_counter() - started
    return seconds
