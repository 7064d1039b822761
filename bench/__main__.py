"""The command line of the benchmark: `python -m bench`, which `make bench` calls."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from bench.bars import bars, batch_bars, model_time_bar
from bench.batch import BatchPlan, measure_batch
from bench.batch_results import BatchResult
from bench.contestants import CONTESTANTS, SLIPWAY
from bench.errors import BenchError, shown
from bench.fixtures import prepare_fixture
from bench.load import ensure_wrk
from bench.machine import describe_machine
from bench.model_time import measure_model_times
from bench.race import Plan, race
from bench.report import verdict, write_report
from bench.results import ModelResult, ModelTime, Report
from bench.servers import end_servers_at_sigterm
from bench.settings import Settings, read_settings
from bench.versions import installed_versions

MODELS = ("food-delivery", "model-a")


def main() -> int:
    arguments = _arguments()
    end_servers_at_sigterm()
    return shown("bench", lambda: _run(arguments))


def _run(arguments: argparse.Namespace) -> int:
    settings, plan, began = read_settings(), _plan(arguments), time.monotonic()
    ensure_wrk()
    chosen, models = _chosen(arguments.peers), arguments.models.split(",")
    started = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    batches = _batches(settings, models, arguments) if arguments.only != "serving" else []
    times = _model_times(settings) if arguments.only != "batch" else []
    os.sched_setaffinity(0, {settings.load_core})
    results = _races(settings, models, plan, chosen) if arguments.only != "batch" else []
    raced = [name for name in chosen if any(result.facts(name) for result in results)]
    report = Report(
        machine=describe_machine(),
        started_at=started,
        seconds_per_round=plan.seconds,
        rounds=plan.rounds,
        quick=arguments.quick,
        models=results,
        versions=installed_versions(settings, raced or [SLIPWAY, "mlflow"]),
        batch=batches,
        model_times=times,
    )
    name = f"bench-{arguments.only}" if arguments.only else "bench"
    document, page = write_report(report, Path(arguments.out), name=name)
    failed = _tell_bars(report)
    print(f"{time.monotonic() - began:.0f} s; wrote {page} and {document}")
    return 1 if failed and arguments.strict else 0


def _tell_bars(report: Report) -> int:
    found = [(result.model, bar) for result in report.models for bar in bars(result)]
    found += [(result.model, bar) for result in report.batch for bar in batch_bars(result)]
    found += [(item.model, model_time_bar(item)) for item in report.model_times]
    for model, bar in found:
        value = "-" if bar.value is None else f"{bar.value:.{3 if 0 < bar.value < 1 else 2}f}"
        print(
            f"  {verdict(bar).strip('*'):<12} {model}: {bar.name}: {value} (limit {bar.limit:g} {bar.unit})"
        )
    return sum(bar.passed is False for _, bar in found)


def _races(settings: Settings, models: list[str], plan: Plan, chosen: Sequence[str]) -> list[ModelResult]:
    results = []
    for model in models:
        print(f"{model}:", flush=True)
        results.append(race(settings, prepare_fixture(settings, model), plan, chosen))
    return results


def _model_times(settings: Settings) -> list[ModelTime]:
    os.sched_setaffinity(0, {settings.server_core})
    print("model time of one row:", flush=True)
    return measure_model_times(settings.root / "models")


def _batches(settings: Settings, models: list[str], arguments: argparse.Namespace) -> list[BatchResult]:
    plan = BatchPlan(rows=100_000, rounds=1) if arguments.quick else BatchPlan()
    if arguments.rows:
        plan = replace(plan, rows=arguments.rows)
    results = []
    for model in models:
        print(f"{model}, batch of {plan.rows:,} rows:", flush=True)
        results.append(measure_batch(settings, model, plan))
    return results


def _chosen(peers: str) -> Sequence[str]:
    names = list(CONTESTANTS) if peers == "all" else [name for name in peers.split(",") if name]
    if unknown := [name for name in names if name not in (*CONTESTANTS, SLIPWAY)]:
        raise BenchError(f"unknown peers: {', '.join(unknown)}; there are {', '.join(CONTESTANTS)}")
    return [SLIPWAY, *(name for name in names if name != SLIPWAY)]


def _plan(arguments: argparse.Namespace) -> Plan:
    if arguments.quick:
        seconds = arguments.seconds or 2
        return Plan(
            seconds=seconds, rounds=1, side_seconds=1, side_rounds=1, cold_starts=1, connections=(1, 64)
        )
    return Plan(seconds=arguments.seconds or 4, rounds=3, side_seconds=3, side_rounds=2, cold_starts=5)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Slipway beside its peers.")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="one short round each, at 1 and 64 connections: rough figures in a few minutes",
    )
    parser.add_argument("--models", default=",".join(MODELS), help="comma-separated (default: %(default)s)")
    parser.add_argument("--peers", default="all", help=f"comma-separated, of {', '.join(CONTESTANTS)}")
    parser.add_argument(
        "--only", choices=("serving", "batch"), help="one section alone, to a report of its own"
    )
    parser.add_argument("--rows", type=int, help="rows of the batch section")
    parser.add_argument("--seconds", type=int, help="length of a round at 64 connections")
    parser.add_argument("--out", default="reports", help="folder of bench.json and bench.md")
    parser.add_argument("--strict", action="store_true", help="exit 1 when a bar is missed")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
