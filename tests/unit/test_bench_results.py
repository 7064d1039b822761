"""Medians, bars and the report of the bench."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from bench.bars import bars, batch_bars, model_time_bar
from bench.batch_results import MLFLOW, BatchResult, BatchSample
from bench.contestants import CONTESTANTS, SLIPWAY
from bench.report import number, render, write_report
from bench.results import (
    HITS,
    MISSES,
    LogCheck,
    Machine,
    ModelResult,
    ModelTime,
    Paced,
    Report,
    Sample,
    ServerFacts,
)


def sample(server: str, kind: str = MISSES, **changes: Any) -> Sample:
    figures: dict[str, Any] = {
        "connections": 64,
        "round": 1,
        "requests": 1000,
        "requests_per_second": 100.0,
        "p50_ms": 1.0,
        "p99_ms": 2.0,
        "status_errors": 0,
        "socket_errors": 0,
        "request_cpu_us": 100.0,
        "tree_cpu_us": 110.0,
    }
    return Sample(server=server, kind=kind, **(figures | changes))


def good_result(model: str = "food-delivery") -> ModelResult:
    peers = [
        sample(name, requests_per_second=62.5 if item.batches else 10.0, request_cpu_us=40.0)
        for name, item in CONTESTANTS.items()
    ]
    ours = [
        sample(SLIPWAY, MISSES, requests_per_second=1000.0, drain_seconds=2.0, agent_us_per_record=30.0),
        sample(SLIPWAY, HITS, requests_per_second=1900.0, request_cpu_us=56.0, drain_seconds=30.0),
    ]
    facts = ServerFacts(
        server=SLIPWAY, first_answer_seconds=3.0, request_pss_bytes=200_000_000, tree_pss_bytes=400_000_000
    )
    return ModelResult(
        model=model,
        samples=ours + peers,
        servers=[facts],
        cold_start_seconds=[2.5, 9.0, 2.5],
        empty_bentoml_cold_start_seconds=[2.0, 2.0, 2.0],
        log_check=LogCheck(answered=10, rows=10, ids_sent=5, ids_found_once=5),
        paced=[paced(SLIPWAY, 1, 4.0), paced("floor", 1, 2.0)],
    )


def paced(server: str, number: int, p99_ms: float, *, failed: int = 0) -> Paced:
    return Paced(server=server, round=number, rate=500.0, p50_ms=1.0, p99_ms=p99_ms, failed=failed)


def report(*results: ModelResult) -> Report:
    machine = Machine(
        processor="Some CPU", cores=2, memory_gib=8.0, kernel="6.1", python="3.11.9", wrk="4.1.0"
    )
    return Report(
        machine=machine,
        started_at="2026-01-01 00:00 UTC",
        seconds_per_round=4,
        rounds=3,
        quick=False,
        models=list(results),
        versions={"floor": {"uvicorn": "0.54.0"}},
    )


def failing(result: ModelResult) -> list[str]:
    return [bar.name for bar in bars(result) if bar.passed is False]


def test_figures_are_medians_over_rounds_and_errors_are_added_up() -> None:
    rounds = [
        sample("floor", round=n, requests_per_second=speed, status_errors=1)
        for n, speed in ((1, 90.0), (2, 10.0), (3, 100.0))
    ]
    summary = ModelResult(model="model-a", samples=rounds, servers=[]).of("floor", MISSES, 64)
    assert summary is not None
    assert summary.requests_per_second == 90.0
    assert summary.errors == 3


def test_rounds_at_other_connections_do_not_count() -> None:
    result = ModelResult(model="model-a", samples=[sample("floor", connections=1)], servers=[])
    assert result.of("floor", MISSES, 64) is None


def test_a_result_exactly_at_the_limits_passes() -> None:
    assert failing(good_result()) == []


def test_unbatched_peers_have_another_limit_than_the_batching_one() -> None:
    limits = {
        bar.name.rpartition(" ")[2]: bar.limit for bar in bars(good_result()) if "requests/s" in bar.name
    }
    assert limits.pop("bentoml-batchable") == 15
    assert set(limits.values()) == {100}
    assert "floor" not in limits


def test_on_model_a_the_peer_with_the_same_features_on_has_another_limit_than_those_with_none() -> None:
    limits = {
        bar.name.rpartition(" ")[2]: bar.limit
        for bar in bars(good_result("model-a"))
        if "requests/s" in bar.name
    }
    assert limits.pop("fastapi-features") == 20
    assert set(limits.values()) == {10}
    assert "floor" not in limits


def test_a_missed_bar_fails() -> None:
    result = good_result()
    slow = [sample(SLIPWAY, MISSES, requests_per_second=999.0), *result.samples[1:]]
    assert "requests/s, misses, 64 connections, against kserve" in failing(
        msgspec.structs.replace(result, samples=slow)
    )


def test_p99_at_half_of_the_peak_is_compared_within_rounds() -> None:
    rounds = [
        paced(SLIPWAY, 1, 3.0),
        paced("floor", 1, 1.0),
        paced(SLIPWAY, 2, 80.0),
        paced("floor", 2, 40.0),
    ]
    rounds += [paced(SLIPWAY, 3, 5.0), paced("floor", 3, 2.0), paced(SLIPWAY, 4, 9.0)]
    result = msgspec.structs.replace(good_result(), paced=rounds)
    assert result.paced_ratio(SLIPWAY, "floor") == 2.5
    assert failing(result) == ["p99 at half of the peak's rate, against the floor's at the same rate"]


def test_what_was_not_measured_has_neither_passed_nor_failed() -> None:
    empty = ModelResult(model="food-delivery", samples=[], servers=[])
    assert {bar.passed for bar in bars(empty)} == {None}


def test_a_row_too_many_is_as_wrong_as_one_too_few() -> None:
    for rows in (9, 11):
        check = LogCheck(answered=10, rows=rows, ids_sent=5, ids_found_once=5)
        assert failing(msgspec.structs.replace(good_result(), log_check=check)) == [
            "answered predictions that are not in SQL exactly once"
        ]


def test_one_failed_request_of_slipway_fails_its_bar_and_one_of_a_peer_does_not() -> None:
    result = good_result()
    broken = [*result.samples, sample("kserve", connections=16, status_errors=1)]
    assert failing(msgspec.structs.replace(result, samples=broken)) == []
    broken = [*result.samples, sample(SLIPWAY, connections=1, socket_errors=1)]
    assert failing(msgspec.structs.replace(result, samples=broken)) == ["failed requests of Slipway"]


def test_the_page_has_every_server_its_ratio_and_every_bar() -> None:
    page = render(report(good_result()))
    assert "| FastAPI | misses | 10 | 100 times |" in page
    assert "| memory of the request process (PSS) | 200 MB | ≤ 200 MB | PASS |" in page
    assert "10 answered, 10 rows in SQL; of 5 ids kept by the client 5 are there exactly once" in page
    assert "### 64 connections" in page


def test_the_page_says_when_a_run_was_quick() -> None:
    assert "quick run" in render(msgspec.structs.replace(report(), quick=True))


def test_the_document_reads_back_as_the_same_report(tmp_path: Path) -> None:
    written = report(good_result(), good_result("model-a"))
    document, page = write_report(written, tmp_path / "reports")
    assert msgspec.json.decode(document.read_bytes(), type=Report) == written
    assert page.read_text() == render(written)


def test_numbers_keep_three_digits() -> None:
    assert [number(value) for value in (0.126, 3.14159, 42.42, 123.4, 12345.6, 8.0)] == [
        "0.13",
        "3.14",
        "42.4",
        "123",
        "12,346",
        "8",
    ]


def test_a_peer_that_was_left_out_is_named_with_the_reason() -> None:
    result = msgspec.structs.replace(good_result(), absent={"kserve": "uv pip failed"})
    assert "- KServe Python server (v2) was not measured: uv pip failed" in render(report(result))


def batch_result(*, ours: float, theirs: float, peak_mb: int) -> BatchResult:
    samples = [
        BatchSample(
            side=side,
            round=number,
            seconds=1.0,
            rows_per_second=figure + number,
            cpu_seconds=1.0,
            peak_memory_bytes=(peak_mb - number) * 1_000_000,
        )
        for number in range(3)
        for side, figure in ((SLIPWAY, ours), (MLFLOW, theirs))
    ]
    return BatchResult(model="model-a", rows=1000, samples=samples)


def test_a_batch_is_judged_by_its_middle_round_and_its_highest_memory() -> None:
    found = batch_bars(batch_result(ours=200.0, theirs=100.0, peak_mb=1000))
    assert [bar.value for bar in found] == [201 / 101, 1000]
    assert [bar.passed for bar in found] == [False, True]
    assert [bar.passed for bar in batch_bars(batch_result(ours=210.0, theirs=100.0, peak_mb=1001))] == [
        True,
        False,
    ]


def test_the_report_of_a_batch_has_both_sides() -> None:
    page = render(
        msgspec.structs.replace(report(), batch=[batch_result(ours=300.0, theirs=100.0, peak_mb=400)])
    )
    assert "## Batch: model-a" in page
    assert "| mlflow models predict | 101 | 1 | 400 |" in page


def test_a_model_that_takes_longer_than_its_bar_for_the_middle_row_fails() -> None:
    times = [ModelTime(model=f"m-{p50:g}", repeats=10, p50_ms=p50, p95_ms=9.0) for p50 in (0.2, 0.201)]
    assert [model_time_bar(item).passed for item in times] == [True, False]
    page = render(msgspec.structs.replace(report(), model_times=times))
    assert "| m-0.2 | 0.200 | 9.000 | ≤ 0.2 ms | PASS |" in page
    assert "| m-0.201 | 0.201 | 9.000 | ≤ 0.2 ms | **FAIL** |" in page


def test_a_model_time_that_was_not_measured_has_neither_passed_nor_failed_and_says_why() -> None:
    absent = ModelTime(model="m", absent="its file is damaged")
    assert model_time_bar(absent).passed is None
    page = render(msgspec.structs.replace(report(), model_times=[absent]))
    assert "| m | - | - | ≤ 0.2 ms | not measured |" in page
    assert "m was not measured: its file is damaged" in page
