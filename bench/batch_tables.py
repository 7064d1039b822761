"""The rows of the batch section: written once, in chunks, for Slipway and, with ready-made features, for the peer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from bench.errors import BenchError
from bench.fixtures import PRODUCT_CATALOG
from bench.settings import Settings
from modelkit.columns import column_dtype
from modelkit.definition import ModelDefinition, load_catalog
from modelkit.feature_code import feature_code_digest

CHUNK_ROWS, SEED = 100_000, 3
# So that no two rows are the same: far less than what a rider's GPS errs.
JITTER_DEGREES = 1e-3


@dataclass(frozen=True, kw_only=True)
class Tables:
    """CSV files of the same rows. `theirs` holds feature columns where the model's features are computed from the request."""

    ours: Path
    theirs: Path
    rows: int


def write_tables(settings: Settings, model: str, rows: int) -> Tables:
    folder = settings.work / "batch"
    ours = theirs = folder / f"{model}-{rows}.csv"
    if model == "food-delivery":
        theirs = folder / f"{model}-{rows}-features-{_code(model)}.csv"
    tables = Tables(ours=ours, theirs=theirs, rows=rows)
    if not (ours.exists() and theirs.exists()):
        folder.mkdir(parents=True, exist_ok=True)
        _write(tables, *_SOURCES[model](settings, rows))
    return tables


def _code(model: str) -> str:
    """Features that another version of the code computed are another table."""
    return feature_code_digest(load_catalog(PRODUCT_CATALOG)[model].build).removeprefix("sha256:")[:12]


Frames = Iterator[pd.DataFrame]
Build = Callable[[pd.DataFrame], pd.DataFrame]


def _write(tables: Tables, frames: Frames, build: Build | None) -> None:
    """Under other names first: a file that is there is whole."""
    unfinished = [path.with_suffix(".tmp") for path in (tables.ours, tables.theirs)]
    for path in unfinished:
        path.unlink(missing_ok=True)
    for number, frame in enumerate(frames):
        frame.to_csv(
            unfinished[0], index=False, header=number == 0, mode="a", date_format="%Y-%m-%dT%H:%M:%S"
        )
        if build is not None:
            build(frame).to_csv(unfinished[1], index=False, header=number == 0, mode="a")
    unfinished[0].rename(tables.ours)
    if build is not None:
        unfinished[1].rename(tables.theirs)


def _model_a(_settings: Settings, rows: int) -> tuple[Frames, Build | None]:
    from bench.model_a import synthetic_deliveries

    frame, _ = synthetic_deliveries(rows)
    return iter([frame]), None


def _food_delivery(settings: Settings, rows: int) -> tuple[Frames, Build | None]:
    definition = load_catalog(PRODUCT_CATALOG)["food-delivery"]
    prepared = settings.root / "data" / "prepared" / definition.name / "rows.parquet"
    if not prepared.exists():
        raise BenchError("food-delivery has no prepared rows: run `make train`")
    known = pd.read_parquet(prepared)[list(definition.request.model_fields)]
    return _resampled(known, rows), lambda frame: _features(definition, frame)


def _resampled(known: pd.DataFrame, rows: int) -> Frames:
    random = np.random.default_rng(SEED)
    for start in range(0, rows, CHUNK_ROWS):
        count = min(CHUNK_ROWS, rows - start)
        frame = known.sample(count, replace=True, random_state=start, ignore_index=True)
        for name in ("delivery_latitude", "delivery_longitude"):
            frame[name] = (frame[name] + random.uniform(0, JITTER_DEGREES, count)).round(6)
        yield frame


def _features(definition: ModelDefinition, frame: pd.DataFrame) -> pd.DataFrame:
    columns = {}
    for name, info in definition.request.model_fields.items():
        dtype, column = column_dtype(info.annotation), frame[name]
        if dtype.kind == "O":
            column = column.astype(object).where(column.notna(), None)
        columns[name] = column.to_numpy(dtype=dtype)
    built = definition.build(columns)
    return pd.DataFrame({name: built[name] for name in definition.feature_columns})


_SOURCES: dict[str, Callable[[Settings, int], tuple[Frames, Build | None]]] = {
    "model-a": _model_a,
    "food-delivery": _food_delivery,
}
