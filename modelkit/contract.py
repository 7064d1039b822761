"""What a model version promises, and whether it fits the code of this image.

Contract and code move at different times: a version fits an image when the schema, the feature columns and the golden
rows agree. The digest of the feature code is information, not a condition, so that a refactoring does not make a good
version unservable (DESIGN 4).
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from modelkit.columns import feature_matrix
from modelkit.definition import ModelDefinition
from modelkit.errors import ContractMismatch
from modelkit.feature_code import feature_code_digest
from modelkit.rows import RowReader
from modelkit.runtime import CompiledModel
from modelkit.schema import schema_digest

GOLDEN_ROWS = 32
REGRESSOR_OUTPUTS = (1, 3)  # a prediction, or a prediction with its lower and upper bound
# Golden outputs are recomputed on other machines: room for other SIMD widths, none for another model.
GOLDEN_RELATIVE_TOLERANCE = 1e-4
GOLDEN_ABSOLUTE_TOLERANCE = 1e-5


class Contract(msgspec.Struct, frozen=True, kw_only=True):
    """`contract.json`. `golden_outputs` has one inner list per golden row: what the compiled model gives for it."""

    model: str
    task: str
    units: str
    schema_digest: str
    feature_columns: list[str]
    feature_code_digest: str
    classes: list[str]
    golden_rows: list[dict[str, Any]]
    golden_outputs: list[list[float]]

    @property
    def digest(self) -> str:
        return hashlib.sha256(msgspec.json.encode(self, order="sorted")).hexdigest()


def make_contract(
    definition: ModelDefinition, golden_rows: list[dict[str, Any]], compiled: CompiledModel
) -> Contract:
    """The contract of a freshly compiled model, its golden outputs computed by the compiled model itself."""
    outputs = compiled.run(golden_matrix(definition, golden_rows))
    return Contract(
        model=definition.name,
        task=definition.task.value,
        units=definition.units,
        schema_digest=schema_digest(definition.request, definition.row),
        feature_columns=list(definition.feature_columns),
        feature_code_digest=feature_code_digest(definition.build),
        classes=list(definition.classes),
        golden_rows=golden_rows,
        golden_outputs=[[float(value) for value in row] for row in outputs],
    )


def check_fit(contract: Contract, definition: ModelDefinition, compiled: CompiledModel) -> None:
    """Raises ContractMismatch, naming the first difference, unless the version fits this image."""
    expected = {
        "model": (contract.model, definition.name),
        "task": (contract.task, definition.task.value),
        "units": (contract.units, definition.units),
        "request schema": (contract.schema_digest, schema_digest(definition.request, definition.row)),
        "feature columns": (contract.feature_columns, list(definition.feature_columns)),
        "classes": (contract.classes, list(definition.classes)),
    }
    for what, (theirs, ours) in expected.items():
        if theirs != ours:
            raise ContractMismatch(f"{definition.name}: {what} of the version differ from this image")
    if not contract.golden_rows:
        raise ContractMismatch(f"{definition.name}: the version has no golden rows")
    matrix = golden_matrix(definition, contract.golden_rows)
    try:
        outputs = compiled.run(matrix)
    except Exception as error:  # the runtime's own exceptions share no public base
        raise ContractMismatch(f"{definition.name}: the graph cannot compute the golden rows") from error
    if outputs.shape[1] not in ((len(definition.classes),) if definition.classes else REGRESSOR_OUTPUTS):
        raise ContractMismatch(f"{definition.name}: the graph has {outputs.shape[1]} outputs for a row")
    if not _close(outputs, contract.golden_outputs):
        raise ContractMismatch(
            f"{definition.name}: golden rows give other outputs than when the version was compiled"
        )


def golden_matrix(definition: ModelDefinition, golden_rows: list[dict[str, Any]]) -> NDArray[np.float32]:
    reader = RowReader(definition.row)
    try:
        rows = [reader.from_object(row) for row in golden_rows]
    except msgspec.ValidationError as error:
        raise ContractMismatch(f"{definition.name}: a golden row is no longer a valid request") from error
    return feature_matrix(definition.build(reader.columns(rows)), definition.feature_columns)


def _close(outputs: NDArray[Any], golden: list[list[float]]) -> bool:
    expected = np.asarray(golden, dtype=np.float64)
    return outputs.shape == expected.shape and bool(
        np.allclose(outputs, expected, rtol=GOLDEN_RELATIVE_TOLERANCE, atol=GOLDEN_ABSOLUTE_TOLERANCE)
    )
