"""Rows that only name their entity get the features that serving would look up, or the refusal that it would give."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from catalog.basket.definition import DEFINITION
from modelkit.definition import FeatureView
from modelkit.errors import EntityNotFound
from modelkit.view_rows import ViewRows
from training.batch.entities import EntityReader, read_features
from training.errors import BatchRefused
from training.features.feature_set import feature_set
from training.features.feature_stores import ParquetStore

assert DEFINITION.view is not None
VIEW: FeatureView = DEFINITION.view
USERS = {"ada": 1.0, "bob": 2.0}


def materialised(folder: Path, view: FeatureView) -> bytes:
    """Every number of a user is the same one; what may be missing is."""
    frame = pd.DataFrame(
        [
            {view.key: user}
            | {name: number if info.is_required() else None for name, info in view.row.model_fields.items()}
            for user, number in USERS.items()
        ]
    )
    ParquetStore(str(folder)).replace(feature_set(ViewRows(view), frame))
    return read_features(view, str(folder))


def read(features: bytes, table: dict[str, list[Any]], first_row: int = 0) -> Any:
    return EntityReader(DEFINITION, features, is_text=True).read(pa.table(table), first_row)


def test_a_named_entity_brings_its_features(tmp_path: Path) -> None:
    features = materialised(tmp_path, VIEW)
    found = read(features, {VIEW.key: ["bob", "ada", "bob"]})
    assert set(found.columns) == set(DEFINITION.row.model_fields)
    rows = ViewRows(VIEW)
    for name, info in VIEW.row.model_fields.items():
        numbers = [USERS[user] if info.is_required() else float("nan") for user in ("bob", "ada", "bob")]
        values = [rows.values([number] * len(rows.names))[name] for number in numbers]
        np.testing.assert_array_equal(found.columns[name], np.array(values, dtype=np.float64))


def test_an_unknown_entity_is_rejected_as_the_api_would(tmp_path: Path) -> None:
    found = read(materialised(tmp_path, VIEW), {VIEW.key: ["ada", "eve", None, "bob"]}, first_row=10)
    assert found.kept.tolist() == [0, 3]
    assert [(item.row, item.code, item.errors[0].pointer) for item in found.rejected] == [
        (11, EntityNotFound.code, f"/{VIEW.key}"),
        (12, "invalid-request", f"/{VIEW.key}"),
    ]


def test_features_that_nobody_materialised_are_said(tmp_path: Path) -> None:
    with pytest.raises(BatchRefused, match="cannot be read"):
        read_features(VIEW, str(tmp_path))


def test_features_elsewhere_than_in_a_folder_are_refused() -> None:
    with pytest.raises(BatchRefused, match="--features"):
        read_features(VIEW, "redis://localhost/0")
