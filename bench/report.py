"""The report for people: Markdown tables of one run, its bars with PASS or FAIL, and how to read them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

import msgspec

from bench.bars import Bar, bars, batch_bars, model_time_bar
from bench.batch_results import BatchResult
from bench.contestants import SLIPWAY, titles
from bench.results import HITS, MISSES, ModelResult, ModelTime, Report

HOW_TO_READ = """\
All servers run at the same time, each as one worker with its whole process tree on one core; the load generator (wrk, one
thread, keep-alive) has another core. Rounds go round-robin over the servers, and figures are medians over the rounds, so that a
slow minute of the machine meets everybody. Absolute figures wander between runs: quote ratios of one run.

- **misses**: no two bodies are the same. **hits**: the same body every time; only servers with a cache are measured.
- **CPU µs**: user and system time of the request process per answered request; **tree** adds the server's other processes.
- Slipway has token verification, two-tier cache, prediction log into SQL and metrics on. Of the peers, only "FastAPI, same
  features on" has. Peers run the very same fitted estimator in its native form on a DataFrame; where the model's features are
  computed from the request, peers get them ready-made, which is in the peers' favour.
- **The floor** reads a POST of Slipway's size and answers with as many bytes: uvicorn, httptools, uvloop, no access log.
- **Half of the peak's rate**: arrivals by chance from another program on the load's core, latency from when each was due.
- After every round the server's backlog is waited for before the next one starts, so that nobody pays for a neighbour.
- **Batch**: one CSV file per command, start included, in turns; Slipway validates every row, keeps the input's columns and
  writes CSV, MLflow writes predictions as JSON. Where features are computed from the request, MLflow gets them ready-made.
- **Model time**: features and compiled graph for one decoded row, in this process on the servers' core, golden rows in turn.
- `p99` of a server with few requests per round is hardly more than its slowest request.
"""


def write_report(report: Report, folder: Path, *, name: str = "bench") -> tuple[Path, Path]:
    folder.mkdir(parents=True, exist_ok=True)
    document, page = folder / f"{name}.json", folder / f"{name}.md"
    document.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n")
    page.write_text(render(report))
    return document, page


def render(report: Report) -> str:
    machine = report.machine
    lines = [
        "# Slipway beside its peers",
        "",
        f"{report.started_at}, {machine.cores} cores of {machine.processor}, {machine.memory_gib:.0f} GiB, "
        f"Linux {machine.kernel}, Python {machine.python}, wrk {machine.wrk}; "
        f"{report.rounds} round(s) of {report.seconds_per_round:g} s at 64 connections"
        + (" (quick run: figures are rough)." if report.quick else "."),
        "",
    ]
    for result in report.models:
        lines += [*_model(result), ""]
    for found in report.batch:
        lines += [*_batch(found), ""]
    if report.model_times:
        lines += [*_model_times(report.model_times), ""]
    lines += ["## How to read it", "", HOW_TO_READ, "## Versions", "", *_versions(report)]
    return "\n".join(lines) + "\n"


def _model(result: ModelResult) -> Iterator[str]:
    yield f"## {result.model}"
    yield ""
    yield from _bar_table(bars(result))
    if result.absent:
        yield ""
        yield from _absent_lines(result)
    connections = sorted({item.connections for item in result.samples}, reverse=True)
    for count in connections:
        yield ""
        yield f"### {count} connection{'s' if count > 1 else ''}"
        yield ""
        yield from _load_table(result, count)
    yield ""
    yield "### Start and memory"
    yield ""
    yield from _facts_table(result)
    yield ""
    yield from _beside_lines(result)


def _batch(result: BatchResult) -> Iterator[str]:
    yield f"## Batch: {result.model}"
    yield ""
    yield from _bar_table(batch_bars(result))
    yield ""
    yield "| command | rows/s | CPU s | peak memory MB |"
    yield "|---|---|---|---|"
    for side in dict.fromkeys(sample.side for sample in result.samples):
        cpu = median(sample.cpu_seconds for sample in result.of(side))
        yield (
            f"| {side} | {number(result.rows_per_second(side))} | {number(cpu)} "
            f"| {number(result.peak_memory_mb(side))} |"
        )


def _model_times(found: list[ModelTime]) -> Iterator[str]:
    """To the microsecond: three digits of other figures would hide what small models differ by."""
    yield "## Model time of one row"
    yield ""
    yield "| model | p50 ms | p95 ms | needed (p50) | verdict |"
    yield "|---|---|---|---|---|"
    for item in found:
        bar = model_time_bar(item)
        middle, high = ("-" if value is None else f"{value:.3f}" for value in (item.p50_ms, item.p95_ms))
        yield f"| {item.model} | {middle} | {high} | ≤ {bar.limit:g} {bar.unit} | {verdict(bar)} |"
    for item in found:
        if item.absent:
            yield f"\n{item.model} was not measured: {item.absent}"


def _bar_table(found: list[Bar]) -> Iterator[str]:
    yield "| bar | measured | needed | verdict |"
    yield "|---|---|---|---|"
    for bar in found:
        value = "not measured" if bar.value is None else f"{number(bar.value)} {bar.unit}"
        needed = f"{'≥' if bar.at_least else '≤'} {number(bar.limit)} {bar.unit}"
        yield f"| {bar.name} | {value} | {needed} | {verdict(bar)} |"


def verdict(bar: Bar) -> str:
    return {None: "not measured", True: "PASS", False: "**FAIL**"}[bar.passed]


def told(bars: Sequence[Bar], *, strict: bool) -> int:
    """Prints each bar's verdict; the exit code of a program that measures nothing else."""
    for bar in bars:
        value = "-" if bar.value is None else number(bar.value)
        print(f"{bar.name}: {value} (limit {bar.limit:g} {bar.unit}): {verdict(bar)}")
    return 1 if strict and any(bar.passed is False for bar in bars) else 0


def _load_table(result: ModelResult, connections: int) -> Iterator[str]:
    yield "| server | | requests/s | Slipway is | p50 ms | p99 ms | CPU µs | tree CPU µs | failed |"
    yield "|---|---|---|---|---|---|---|---|---|"
    ours = {kind: result.of(SLIPWAY, kind, connections) for kind in (MISSES, HITS)}
    for name, title in titles().items():
        for kind in (MISSES, HITS):
            found = result.of(name, kind, connections)
            if found is None:
                continue
            slipway = ours[kind]
            ratio = (
                slipway.requests_per_second / found.requests_per_second
                if slipway and name != SLIPWAY
                else None
            )
            yield (
                f"| {title} | {kind} | {number(found.requests_per_second)} | {_times(ratio)} | {number(found.p50_ms)} "
                f"| {number(found.p99_ms)} | {number(found.request_cpu_us)} | {number(found.tree_cpu_us)} | {found.errors} |"
            )


def _facts_table(result: ModelResult) -> Iterator[str]:
    yield "| server | first prediction after s | request process MB (PSS) | all its processes MB (PSS) |"
    yield "|---|---|---|---|"
    for name, title in titles().items():
        if facts := result.facts(name):
            request, tree = facts.request_pss_bytes / 1e6, facts.tree_pss_bytes / 1e6
            yield f"| {title} | {facts.first_answer_seconds:.2f} | {request:.0f} | {tree:.0f} |"


def _beside_lines(result: ModelResult) -> Iterator[str]:
    if result.cold_start_seconds and result.empty_bentoml_cold_start_seconds:
        ours, empty = median(result.cold_start_seconds), median(result.empty_bentoml_cold_start_seconds)
        yield (
            f"Cold start with the store filled, alternating, median of {len(result.cold_start_seconds)}: "
            f"Slipway {ours:.2f} s, empty BentoML service {empty:.2f} s."
        )
    for each in result.paced:
        figures = f"{each.server} p50 {number(each.p50_ms)} ms, p99 {number(each.p99_ms)} ms"
        yield f"At {number(each.rate)} requests a second, round {each.round}: {figures}."
    costs = [item.agent_us_per_record for item in result.samples if item.agent_us_per_record is not None]
    if costs:
        drains = [item.drain_seconds for item in result.samples if item.drain_seconds is not None]
        yield (
            f"The agent ships a record into SQL for {median(costs):.0f} µs of CPU (median over rounds); its backlog was "
            f"empty at most {max(drains, default=0.0):.1f} s after the load's end."
        )
    if check := result.log_check:
        yield (
            f"Prediction log: {check.answered} answered, {check.rows} rows in SQL; of {check.ids_sent} ids kept by the "
            f"client {check.ids_found_once} are there exactly once."
        )


def _absent_lines(result: ModelResult) -> Iterator[str]:
    for name, reason in result.absent.items():
        yield f"- {titles()[name]} was not measured: {reason}"


def _versions(report: Report) -> Iterator[str]:
    for name, packages in sorted(report.versions.items()):
        yield f"- {name}: " + ", ".join(
            f"{package} {version}" for package, version in sorted(packages.items())
        )


def number(value: float) -> str:
    """Three significant digits, and thousands as a whole."""
    if value == int(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"


def _times(ratio: float | None) -> str:
    return "" if ratio is None else f"{number(ratio)} times"
