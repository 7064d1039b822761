"""The same rows as a caller sends them who knows no more than a request requires."""

from __future__ import annotations

from typing import Any

import pandas as pd

from modelkit.columns import feature_matrix
from modelkit.definition import ModelDefinition
from modelkit.rows import RowReader
from training.frames import to_requests


def required_fields(definition: ModelDefinition) -> tuple[str, ...]:
    """Fields of a row that have no default: those of the request, and those kept for its entity."""
    return tuple(name for name, info in definition.row.model_fields.items() if info.is_required())


def has_optional_fields(definition: ModelDefinition) -> bool:
    return len(required_fields(definition)) < len(definition.row.model_fields)


def without_optional(definition: ModelDefinition, requests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each request with its required fields only."""
    kept = required_fields(definition)
    return [{name: request[name] for name in kept if name in request} for request in requests]


def required_only_features(definition: ModelDefinition, rows: pd.DataFrame) -> pd.DataFrame:
    """Features of prepared rows, built again from the requests that are left of them."""
    reader = RowReader(definition.row)
    requests = without_optional(definition, to_requests(rows, definition.row))
    built = definition.build(reader.columns([reader.from_object(request) for request in requests]))
    matrix = feature_matrix(built, definition.feature_columns)
    return pd.DataFrame(matrix, columns=list(definition.feature_columns), dtype="float64")
