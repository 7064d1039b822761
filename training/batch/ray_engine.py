"""The engine of many machines: Ray Data maps the same function over blocks of the input, in the input's order.

Where RAY_ADDRESS names a cluster (the component `batch-ray/ray` sets it) it works there, otherwise on a Ray of its own.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import msgspec
import pyarrow as pa

from modelkit.definition import load_catalog
from training.batch.loading import load_scorer
from training.batch.places import Format
from training.batch.reading import Chunk, Source, csv_conversion, csv_layout
from training.batch.rows import Rejected
from training.batch.scoring import Scored, Scorer
from training.batch.version_files import VersionFiles

REASON = "__rejected__"


@dataclass(frozen=True, kw_only=True)
class RayPlan:
    """What of a job the engine needs. `address` is that of a cluster; None starts one of `workers` cores."""

    catalog: str
    model: str
    version: VersionFiles
    features: bytes | None
    chunk_rows: int
    workers: int
    address: str | None


def run_ray(plan: RayPlan, source: Source) -> Iterator[tuple[Chunk, Scored]]:
    """Chunks of the same rows as the local engine's, one after another."""
    with _ray(plan) as ray:
        version = ray.put((plan.version, plan.features))
        blocks = _read(ray, source).map_batches(
            _score_block,
            batch_size=plan.chunk_rows,
            batch_format="pyarrow",
            fn_kwargs={
                "model": (plan.catalog, plan.model),
                "version": version,
                "is_text": source.is_text,
            },
        )
        first_row = 0
        batches = blocks.iter_batches(batch_size=plan.chunk_rows, batch_format="pyarrow")
        for number, batch in enumerate(batches):
            chunk = Chunk(number=number, first_row=first_row, table=batch.select(source.schema.names))
            yield chunk, _numbered(batch, first_row)
            first_row += batch.num_rows


@contextmanager
def _ray(plan: RayPlan) -> Iterator[Any]:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_DATA_DISABLE_PROGRESS_BARS", "1")
    import ray
    import ray.data

    if plan.address:
        ray.init(address=plan.address, log_to_driver=False, logging_level=logging.ERROR)
    else:
        ray.init(
            address="local",
            num_cpus=plan.workers,
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.ERROR,
        )
    context = ray.data.DataContext.get_current()
    context.execution_options.preserve_order = True
    context.enable_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    try:
        yield ray
    finally:
        ray.shutdown()


def _read(ray: Any, source: Source) -> Any:
    place = source.place
    if not source.is_text:
        return ray.data.read_parquet(place.path, filesystem=place.files, partitioning=None)
    return ray.data.read_csv(
        place.path,
        filesystem=place.files,
        partitioning=None,
        arrow_open_stream_args={"compression": "gzip"} if place.format is Format.CSV_GZ else None,
        parse_options=csv_layout(),
        convert_options=csv_conversion(source.schema),
    )


@lru_cache(maxsize=2)
def _loaded(model: tuple[str, str], version: Any, is_text: bool) -> Scorer:
    """Once per worker process."""
    import ray

    catalog, name = model
    files, features = ray.get(version)
    return load_scorer(load_catalog(catalog)[name], files, is_text=is_text, features=features)


def _score_block(table: Any, *, model: tuple[str, str], version: Any, is_text: bool) -> Any:
    """Every row of the block, rejected ones too, so that the driver can number them."""
    scored = _loaded(model, version, is_text)(table)
    reasons: list[str | None] = [None] * table.num_rows
    for item in scored.rejected:
        reasons[item.row] = msgspec.json.encode(item).decode()
    places = iter(range(scored.answered.num_rows))
    taken = pa.array([None if reason else next(places) for reason in reasons], pa.int64())
    answers = scored.answered.drop_columns(table.column_names).take(taken)
    columns = [*table.columns, *answers.columns, pa.array(reasons, pa.string())]
    return pa.table(columns, names=[*table.column_names, *answers.column_names, REASON])


def _numbered(batch: Any, first_row: int) -> Scored:
    reasons = batch[REASON]
    found = [
        _renumbered(msgspec.json.decode(reason, type=Rejected), first_row + place)
        for place, reason in enumerate(reasons.to_pylist())
        if reason is not None
    ]
    return Scored(answered=batch.filter(reasons.is_null()).drop_columns([REASON]), rejected=found)


def _renumbered(item: Rejected, row: int) -> Rejected:
    return Rejected(row=row, code=item.code, errors=[replace(error, row=row) for error in item.errors])
