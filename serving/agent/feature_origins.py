"""Where the agent reads materialised features: a folder of Parquet files, or SQL. Both in batches, never all at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from modelkit.view_rows import ViewRows
from serving.agent.snapshot_writer import FeaturesRefused

if TYPE_CHECKING:
    from sqlalchemy import Engine

ROWS_PER_BATCH = 20_000
SCHEMA_DIGEST = b"slipway.schema_digest"

Batch = tuple[list[str], NDArray[np.float64]]


class OriginChanged(Exception):
    """The source was replaced while it was read: what was read is nothing."""


@dataclass(frozen=True, kw_only=True)
class Edition:
    """One set of rows as the source names it. `mark` changes whenever the set does."""

    mark: str
    written_at: float
    rows: int | None = None


class FeatureOrigin(Protocol):
    """All methods may raise FeaturesRefused (the set does not fit the view), OriginChanged, or whatever their source does."""

    def edition(self, rows: ViewRows) -> Edition | None:
        """The set there now, cheap enough to ask every few seconds; None where there is none."""

    def read(self, rows: ViewRows, edition: Edition) -> AbstractContextManager[Iterator[Batch]]:
        """All rows of that edition."""


class ParquetFolder:
    """`<folder>/<view>.parquet`: the key column (text) and one column of numbers per field of the view."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def edition(self, rows: ViewRows) -> Edition | None:
        try:
            status = self._path(rows).stat()
        except FileNotFoundError:
            return None
        mark = f"{status.st_mtime_ns}-{status.st_size}-{status.st_ino}"
        return Edition(mark=mark, written_at=status.st_mtime)

    @contextmanager
    def read(self, rows: ViewRows, edition: Edition) -> Iterator[Iterator[Batch]]:
        import pyarrow.parquet

        try:
            # Blocks that one read ends with are given back; a mapped or pre-read file would stay in memory.
            file = pyarrow.parquet.ParquetFile(self._path(rows), pre_buffer=False, memory_map=False)
        except pyarrow.ArrowInvalid as error:
            raise FeaturesRefused("the file is no Parquet file") from error
        with file:
            _check_columns(file.schema_arrow.names, rows)
            written_for = (file.schema_arrow.metadata or {}).get(SCHEMA_DIGEST)
            if written_for is not None and written_for.decode() != rows.digest:
                raise FeaturesRefused("rows were written for another schema of the view")
            yield (_arrow_batch(batch, rows) for batch in file.iter_batches(batch_size=ROWS_PER_BATCH))

    def _path(self, rows: ViewRows) -> Path:
        return self._folder / f"{rows.view.name}.parquet"


class SqlTables:
    """Table `features_<view>`, as `records.feature_tables` lays it out."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def edition(self, rows: ViewRows) -> Edition | None:
        from records.feature_tables import read_version

        version = read_version(self._engine, rows.view.name)
        if version is None:
            return None
        if version.digest != rows.digest:
            raise FeaturesRefused("rows were written for another schema of the view")
        return Edition(mark=version.version, written_at=version.written_at, rows=version.rows)

    @contextmanager
    def read(self, rows: ViewRows, edition: Edition) -> Iterator[Iterator[Batch]]:
        from records.feature_tables import columns_there, feature_table, stream

        table = feature_table(rows.view.name, rows.view.key, rows.names)
        _check_columns(columns_there(self._engine, table), rows)
        yield (_sql_batch(block, rows) for block in stream(self._engine, table))
        now = self.edition(rows)
        if now is None or now.mark != edition.mark:
            raise OriginChanged


def _check_columns(found: list[str], rows: ViewRows) -> None:
    expected = [rows.view.key, *rows.names]
    if sorted(found) != sorted(expected):
        raise FeaturesRefused(
            f"columns are {', '.join(sorted(found))}; expected {', '.join(sorted(expected))}"
        )


def _arrow_batch(batch: Any, rows: ViewRows) -> Batch:
    keys = batch.column(rows.view.key).to_pylist()
    if not all(isinstance(key, str) for key in keys):
        raise FeaturesRefused(f"{rows.view.key} must be text in every row")
    columns = [batch.column(name).to_pylist() for name in rows.names]
    return keys, _matrix(columns)


def _sql_batch(block: Any, rows: ViewRows) -> Batch:
    keys, *columns = zip(*block, strict=True)
    if not all(isinstance(key, str) for key in keys):
        raise FeaturesRefused(f"{rows.view.key} must be text in every row")
    return list(keys), _matrix(columns)


def _matrix(columns: Any) -> NDArray[np.float64]:
    """Rows of numbers, NaN where there is none."""
    try:
        return np.array(columns, dtype=np.float64).T
    except (TypeError, ValueError):
        raise FeaturesRefused("a column holds something else than numbers") from None
