"""What a model says about the rows of a table, as columns to put beside theirs."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from modelkit.columns import Columns
from modelkit.definition import ModelDefinition
from training.batch.wide import WideModel

PREDICTION, LOWER, UPPER, VERSION = "prediction", "lower", "upper", "model_version"
INTERVAL_OUTPUTS = 3


class Answerer:
    """One version of a model. A prediction that is not finite is none, as for the API."""

    def __init__(
        self, definition: ModelDefinition, model: Future[WideModel], *, version: str, outputs: int
    ) -> None:
        self._definition, self._model, self._version = definition, model, version
        self._has_interval = not definition.classes and outputs >= INTERVAL_OUTPUTS
        self.schema = pa.schema(self._fields())

    def outputs(self, columns: Columns) -> NDArray[np.float32]:
        """The graph's outputs; rows on which the feature code fails are NaN, their neighbours are not."""
        model = self._model.result()
        try:
            return self._run(model, columns)
        except Exception:  # a bug in a model's feature code must not fail a whole chunk
            return self._run_one_by_one(model, columns)

    def table(self, outputs: NDArray[np.float32]) -> Any:
        if self._definition.classes:
            classes = pa.array(self._definition.classes)
            found = [classes.take(pa.array(outputs.argmax(axis=1)))]
            found += [_numbers(column) for column in outputs.T]
        else:
            width = INTERVAL_OUTPUTS if self._has_interval else 1
            found = [_numbers(column) for column in outputs.T[:width]]
        versions = _repeated(self._version, len(outputs))
        return pa.table([*found, versions], schema=self.schema)

    def _fields(self) -> list[tuple[str, Any]]:
        if classes := self._definition.classes:
            shares = [(f"probability_{name}", pa.float64()) for name in classes]
            return [(PREDICTION, pa.string()), *shares, (VERSION, pa.string())]
        bounds = [(LOWER, pa.float64()), (UPPER, pa.float64())] if self._has_interval else []
        return [(PREDICTION, pa.float64()), *bounds, (VERSION, pa.string())]

    def _run(self, model: WideModel, columns: Columns) -> NDArray[np.float32]:
        features = self._definition.build(columns)
        order = self._definition.feature_columns
        matrix = np.empty((len(order), len(features[order[0]])), dtype=np.float32)
        for position, name in enumerate(order):
            matrix[position] = features[name]
        return model.run(matrix)

    def _run_one_by_one(self, model: WideModel, columns: Columns) -> NDArray[np.float32]:
        width = len(self.schema) - 1 if not self._definition.classes else len(self._definition.classes)
        rows = len(next(iter(columns.values())))
        outputs = np.full((rows, width), np.nan, dtype=np.float32)
        for row in range(rows):
            try:
                found = self._run(model, {name: values[row : row + 1] for name, values in columns.items()})
            except Exception:  # noqa: S112 (the row is rejected, with a reason)
                continue
            outputs[row] = found[0, :width]
        return outputs


# Made of their bytes: `pa.array` and `pa.scalar` would import pandas first.
def _numbers(column: NDArray[np.float32]) -> Any:
    content = np.ascontiguousarray(column, dtype=np.float64)
    return pa.Array.from_buffers(pa.float64(), len(content), [None, pa.py_buffer(content)])


def _repeated(text: str, rows: int) -> Any:
    content = text.encode()
    starts = np.arange(rows + 1, dtype=np.int32) * len(content)
    return pa.Array.from_buffers(
        pa.string(), rows, [None, pa.py_buffer(starts), pa.py_buffer(content * rows)]
    )
