"""The batch section: a million rows by `python -m training batch` beside `mlflow models predict`, in turns."""

from __future__ import annotations

import csv
import json
import os
import resource
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from bench import proc
from bench.batch_results import MLFLOW, SLIPWAY, BatchResult, BatchSample
from bench.batch_tables import Tables, write_tables
from bench.environments import ensure_environment
from bench.errors import BenchError
from bench.fixtures import Fixture, prepare_fixture
from bench.settings import Settings

COMPARED_ROWS, SAME_ANSWER = 1000, 1e-3
LOOK_SECONDS = 0.1


@dataclass(frozen=True, kw_only=True)
class BatchPlan:
    """`rows` of the table, and how often each side works through it."""

    rows: int = 1_000_000
    rounds: int = 3


@dataclass(frozen=True, kw_only=True)
class _Side:
    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    output: Path


def measure_batch(settings: Settings, model: str, plan: BatchPlan) -> BatchResult:
    """Whole commands, start included, each on the whole machine."""
    fixture, tables = prepare_fixture(settings, model), write_tables(settings, model, plan.rows)
    scratch = settings.work / "batch" / "out"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {settings.server_core, settings.load_core})
    try:
        sides = [_slipway(settings, fixture, tables, scratch), _mlflow(settings, fixture, tables, scratch)]
        samples = [_measured(side, tables, turn) for turn in range(plan.rounds) for side in sides]
        _check_same(sides[0].output, sides[1].output)
    finally:
        os.sched_setaffinity(0, cores)
        shutil.rmtree(scratch, ignore_errors=True)
    return BatchResult(model=model, rows=plan.rows, samples=samples)


def _measured(side: _Side, tables: Tables, turn: int) -> BatchSample:
    """Memory is the highest of any of its processes: they work one after another, not beside each other."""
    log, before, begin, memory = side.output.with_suffix(".log"), _children_cpu(), time.monotonic(), 0
    with log.open("wb") as sink:
        process = subprocess.Popen(
            list(side.command), env=dict(side.environment), cwd=side.output.parent, stdout=sink, stderr=sink
        )
        while _is_running(process):
            memory = max(memory, *(proc.peak_memory_bytes(pid) for pid in proc.process_tree(process.pid)), 0)
    seconds = time.monotonic() - begin
    if process.returncode:
        raise BenchError(f"{side.name} failed:\n{log.read_text(errors='replace')[-2000:]}")
    sample = BatchSample(
        side=side.name,
        round=turn,
        seconds=seconds,
        rows_per_second=tables.rows / seconds,
        cpu_seconds=_children_cpu() - before,
        peak_memory_bytes=memory,
    )
    print(
        f"  {side.name}: {sample.rows_per_second:,.0f} rows/s, {sample.peak_memory_bytes / 1e6:.0f} MB",
        flush=True,
    )
    return sample


def _is_running(process: subprocess.Popen[bytes]) -> bool:
    try:
        process.wait(LOOK_SECONDS)
    except subprocess.TimeoutExpired:
        return True
    return False


def _children_cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _slipway(settings: Settings, fixture: Fixture, tables: Tables, scratch: Path) -> _Side:
    output = scratch / "slipway.csv"
    servable = fixture.servables / fixture.model
    arguments = ["batch", fixture.model, str(tables.ours), str(output), "--servable", str(servable)]
    return _Side(
        name=SLIPWAY,
        command=[str(settings.bin / "python"), "-m", "training", *arguments],
        environment=settings.inherited | {"PYTHONPATH": str(settings.root), "CATALOG": fixture.catalog},
        output=output,
    )


def _mlflow(settings: Settings, fixture: Fixture, tables: Tables, scratch: Path) -> _Side:
    """With its own environment, as `--env-manager local` says; it reads CSV and writes JSON."""
    folder, output, saved = ensure_environment(settings, "mlflow"), scratch / "mlflow.json", scratch / "model"
    environment = settings.inherited | {
        "PATH": f"{folder}:{settings.inherited.get('PATH', '')}",
        "PYTHONPATH": str(settings.peers / "shared"),
        "PEER_MODEL": str(fixture.peer_folder),
    }
    build = [str(folder / "python"), str(settings.peers / "mlflow" / "build.py"), str(saved)]
    done = subprocess.run(build, env=environment, cwd=scratch, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchError(f"MLflow could not save the model:\n{done.stderr.strip()[-2000:]}")
    command = [
        str(folder / "mlflow"),
        "models",
        "predict",
        "--model-uri",
        str(saved),
        "--content-type",
        "csv",
    ]
    files = ["--input-path", str(tables.theirs), "--output-path", str(output), "--env-manager", "local"]
    return _Side(name=MLFLOW, command=[*command, *files], environment=environment, output=output)


def _check_same(ours: Path, theirs: Path) -> None:
    """Both must have answered with the same model, or the comparison means nothing."""
    with ours.open(newline="") as file:
        mine = [float(row["prediction"]) for row in islice(csv.DictReader(file), COMPARED_ROWS)]
    found = json.loads(theirs.read_text())["predictions"][:COMPARED_ROWS]
    difference = float(np.abs(np.asarray(mine) - np.asarray(found, dtype=np.float64)).mean())
    if difference > SAME_ANSWER * float(np.abs(mine).mean()):
        raise BenchError(f"batch: the answers differ by {difference:.3g} on average: not the same model")
