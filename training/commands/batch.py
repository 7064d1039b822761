"""`batch`: answer every row of a table, as the service would."""

from __future__ import annotations

import argparse
import contextlib
import gc
import os
from collections.abc import Iterator
from pathlib import Path

from modelkit.definition import ModelDefinition
from training.settings import TrainingSettings

HELP = "answer every row of a CSV or Parquet file (local or s3://); goes on where a killed run stopped"
MODELS = "one"
CHUNK_ROWS = 32_768


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("input", metavar="INPUT", help="path or s3:// address of a .csv, .csv.gz or .parquet")
    parser.add_argument("output", metavar="OUTPUT", help="the same; rejected rows go beside it")
    parser.add_argument("--version", default=None, help="number in the registry")
    parser.add_argument("--alias", default="production", help="alias in the registry (default: %(default)s)")
    parser.add_argument("--servable", type=Path, default=None, help="folder of a servable: asks no registry")
    parser.add_argument(
        "--features", default=None, help="folder of materialised features; FEATURES_URL by default"
    )
    parser.add_argument("--engine", default="local", choices=("local", "ray"))
    parser.add_argument(
        "--chunk-rows", type=_positive, default=CHUNK_ROWS, help="rows per chunk: %(default)s"
    )
    parser.add_argument("--workers", type=_positive, default=None, help="threads; one per core by default")
    parser.add_argument("--restart", action="store_true", help="drop what an unfinished run left behind")


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """Half a million objects come of imports and stay; columns hold nothing that goes round in circles."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@_uncollected()
def run(arguments: argparse.Namespace, definition: ModelDefinition, settings: TrainingSettings) -> str:
    from tqdm import tqdm

    from training.batch.job import REJECTED_SUFFIX, Job
    from training.batch.job import run as run_job
    from training.batch.places import ObjectStorage, open_place
    from training.batch.version_files import from_folder, from_registry

    storage = ObjectStorage(endpoint=settings.s3_endpoint_url, region=settings.s3_region)
    if arguments.servable is not None:
        version = from_folder(arguments.servable)
    else:
        version = from_registry(
            definition,
            settings.mlflow_tracking_uri,
            alias=arguments.alias,
            number=arguments.version,
            keys=settings.model_verify_keys_file,
        )
    job = Job(
        definition=definition,
        version=version,
        input=open_place(arguments.input, storage),
        output=open_place(arguments.output, storage),
        chunk_rows=arguments.chunk_rows,
        workers=arguments.workers or len(os.sched_getaffinity(0)),
        engine=arguments.engine,
        restart=arguments.restart,
        ray_address=settings.ray_address,
        catalog=settings.catalog,
        features_url=arguments.features or settings.features_url,
    )
    with tqdm(unit=" rows", unit_scale=True, disable=None, desc=definition.name) as bar:
        found = run_job(job, bar.update)
    beside = f", {found.rejected} rejected: see {job.output.url}{REJECTED_SUFFIX}" if found.rejected else ""
    before = f", {found.resumed} of them by an earlier run" if found.resumed else ""
    return f"version {version.version}, {found.rows} rows{before}; {found.answered} answered{beside}"


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number of at least 1, not {text!r}")
    return int(text)
