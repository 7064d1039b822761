"""Rows that only name their entity, completed from the same materialised features that serving looks up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import parquet as pq

from modelkit.columns import column_dtype
from modelkit.definition import FeatureView, ModelDefinition
from modelkit.errors import EntityNotFound, FieldError
from modelkit.feature_url import FeatureHome, feature_home
from modelkit.view_rows import ViewRows
from training.batch.places import said_in_one_line
from training.batch.rows import ReadRows, Rejected, TableReader
from training.errors import BatchRefused

SCHEMA_DIGEST = b"slipway.schema_digest"
UNKNOWN = "Nothing is known about this entity"


def read_features(view: FeatureView, url: str) -> bytes:
    """The file that `materialize` wrote. Raises BatchRefused where there is none."""
    if feature_home(url) is not FeatureHome.FOLDER:
        raise BatchRefused(
            "batch looks features up in a folder: materialize to one, and name it with --features"
        )
    path = Path(url) / f"{view.name}.parquet"
    with said_in_one_line(f"{path} cannot be read"):
        return path.read_bytes()


class EntityReader:
    """Reads tables of requests, and adds the view's columns. It has the methods of a `TableReader`."""

    def __init__(self, definition: ModelDefinition, features: bytes, *, is_text: bool) -> None:
        assert definition.view is not None
        self._requests = TableReader(definition.request, is_text=is_text)
        self._view = definition.view
        self._keys, self._columns = _columns_of(self._view, features)
        default = self._view.default_key
        self._default = -1 if default is None else self._keys.index(default).as_py()

    def required(self) -> list[str]:
        return self._requests.required()

    def read(self, table: Any, first_row: int = 0) -> ReadRows:
        read = self._requests.read(table, first_row)
        places = self._places(read.columns[self._view.key])
        known = places >= 0
        columns = {name: values[known] for name, values in read.columns.items()}
        columns |= {name: values[places[known]] for name, values in self._columns.items()}
        unknown = [self._unknown(first_row + place) for place in read.kept[~known].tolist()]
        rejected = sorted([*read.rejected, *unknown], key=lambda item: item.row)
        return ReadRows(columns=columns, kept=read.kept[known], rejected=rejected)

    def _places(self, keys: NDArray[Any]) -> NDArray[np.intp]:
        found = pc.index_in(pa.array(keys, pa.string()), value_set=self._keys)
        places: NDArray[np.intp] = found.fill_null(self._default).to_numpy(zero_copy_only=False)
        return places

    def _unknown(self, row: int) -> Rejected:
        error = FieldError(pointer=f"/{self._view.key}", detail=UNKNOWN, row=row)
        return Rejected(row=row, code=EntityNotFound.code, errors=[error])


def _columns_of(view: FeatureView, features: bytes) -> tuple[Any, dict[str, NDArray[Any]]]:
    """Keys and numbers; a missing number is its field's default, as in serving."""
    with said_in_one_line(f"features {view.name} cannot be read"):
        table = pq.read_table(pa.BufferReader(features))
    written_for = (table.schema.metadata or {}).get(SCHEMA_DIGEST)
    if written_for is not None and written_for.decode() != ViewRows(view).digest:
        raise BatchRefused(f"features {view.name}: rows were written for another schema of the view")
    columns = {}
    for name, info in view.row.model_fields.items():
        dtype = column_dtype(info.annotation)
        values = table[name].combine_chunks().cast(pa.float64()).to_numpy(zero_copy_only=False).astype(dtype)
        default = np.array([None if info.is_required() else info.default], dtype=dtype)
        columns[name] = np.where(np.isnan(values), default, values)
    return table[view.key].combine_chunks(), columns
