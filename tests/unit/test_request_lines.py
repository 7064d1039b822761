"""The two streams of lines: what is in them, where they end up, and that nobody waits for who reads them."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest

from records.prediction_record import NO_PREDICTION, PredictionRecord
from serving.logging_settings import LogLevel
from serving.outcome import Outcome, encode_outcome
from serving.request_log.model_lines import ModelLines
from serving.request_log.service_lines import Request, ServiceLines
from serving.request_log.sinks import KEPT_FILES, PIECE_BYTES, RotatedFile, StandardOutput
from serving.request_log.writer import MAX_WAITING, LineWriter, Stream
from tests.architecture.source_tree import ROOT
from tests.e2e.waiting import until

PATIENCE = 20.0
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
ANSWERED = Request(
    1_800_000_000.25,
    "POST",
    "/predict/iris",
    "/predict/{model}",
    200,
    0.0012345,
    "r-1",
    f"00-{TRACE}-00f067aa0ba902b7-00".encode(),
    "",
)


class Counts(Counter[tuple[str, str]]):
    def __call__(self, stream: str, result: str, count: int) -> None:
        self[stream, result] += count


class Kept:
    """A sink that remembers."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []

    def write(self, lines: Any) -> None:
        self.lines += lines


class Full:
    def write(self, lines: Any) -> None:
        raise OSError(28, "No space left on device")


def record(number: float | None = 20.0, *, features: bytes = b'{"a":1}', **changes: Any) -> PredictionRecord:
    values: dict[str, Any] = {
        "prediction_id": "p-1",
        "model": "housing",
        "version": "3",
        "request_id": "r-1",
        "subject": "ada",
        "user_id": 7,
        "features": msgspec.Raw(features),
        "predicted_value": number,
        "prediction": NO_PREDICTION,
        "outcome": "ok",
        "cached": False,
        "latency_ms": 1.5,
        "created_at": 1_800_000_000.25,
        "trace_id": TRACE,
    }
    return PredictionRecord(**{**values, **changes})


def test_a_request_is_a_line_with_its_ids_its_route_and_how_it_went() -> None:
    line = ServiceLines(LogLevel.INFO)(ANSWERED)
    assert line is not None
    assert json.loads(line) == {
        "logger": "slipway.service",
        "event": "REQUEST",
        "level": "info",
        "timestamp": "2027-01-15T08:00:00.250000Z",
        "method": "POST",
        "route": "/predict/{model}",
        "path": "/predict/iris",
        "status": 200,
        "latency_ms": 1.234,
        "request_id": "r-1",
        "trace_id": TRACE,
    }


def test_a_refusal_has_its_problems_code_and_no_path_that_is_not_ours() -> None:
    refused = msgspec.structs.replace(ANSWERED, path="", status=404, error="not-found")
    line = json.loads(ServiceLines(LogLevel.INFO)(refused) or b"")
    assert (line["error"], line["level"], "path" in line) == ("not-found", "info", False)


def test_above_info_only_what_went_wrong_here_is_written() -> None:
    lines = ServiceLines(LogLevel.WARNING)
    assert lines(ANSWERED) is None
    assert json.loads(lines(msgspec.structs.replace(ANSWERED, status=503)) or b"")["level"] == "error"


def test_a_row_is_a_line_with_features_and_how_its_models_predictions_run() -> None:
    lines, numbers = ModelLines(), [20.0, 24.5, 31.25, 18.0]
    told = [json.loads(lines(record(number))) for number in numbers]
    assert told[0] == {
        "logger": "slipway.model",
        "event": "PREDICTION",
        "level": "info",
        "timestamp": "2027-01-15T08:00:00.250000Z",
        "model": "housing",
        "version": "3",
        "user_id": 7,
        "prediction": 20.0,
        "latency_ms": 1.5,
        "features": {"a": 1},
        "running_count": 1,
        "running_mean": 20.0,
        "running_std": 0.0,
        "request_id": "r-1",
        "prediction_id": "p-1",
        "trace_id": TRACE,
        "cached": False,
    }
    assert told[-1]["running_count"] == len(numbers)
    assert told[-1]["running_mean"] == pytest.approx(statistics.mean(numbers))
    assert told[-1]["running_std"] == pytest.approx(statistics.stdev(numbers))


def test_versions_run_apart_and_a_class_is_only_counted() -> None:
    lines = ModelLines()
    lines(record(10.0))
    other = json.loads(lines(record(30.0, version="4")))
    assert (other["running_count"], other["running_mean"]) == (1, 30.0)
    outcome = Outcome("setosa", probabilities={"setosa": 0.75, "virginica": 0.25})
    flower = json.loads(lines(record(None, model="iris", prediction=msgspec.Raw(encode_outcome(outcome)))))
    assert (flower["prediction"], flower["probabilities"]["setosa"]) == ("setosa", 0.75)
    assert (flower["running_count"], "running_mean" in flower) == (1, False)


def test_the_user_is_the_rows_and_so_are_his_orders() -> None:
    line = json.loads(ModelLines()(record(features=b'{"user_id":"12347","total_orders":7,"other":[1]}')))
    assert (line["user_id"], line["total_orders"]) == ("12347", 7)


def test_lines_are_written_in_order_and_the_last_of_them_at_the_end() -> None:
    sink, counts = Kept(), Counts()
    stream: Stream[int] = Stream("service", lambda item: b"%d\n" % item, [sink], counts)
    writer = LineWriter([stream])
    for start in (0, 10, 20):
        stream.items.extend(range(start, start + 10))
        writer.hand_over()
    stream.items.append(30)
    writer.close(PATIENCE)
    assert sink.lines == [b"%d\n" % item for item in range(31)]
    assert counts == {("service", "written"): 31}


def test_a_reader_who_stops_costs_lines_and_never_a_wait() -> None:
    reading, writing = os.pipe()
    counts = Counts()
    stream: Stream[int] = Stream(
        "service", lambda item: b"x" * 200 + b"\n", [StandardOutput(writing)], counts
    )
    writer = LineWriter([stream])
    for _ in range(40):
        stream.items.extend(range(MAX_WAITING // 10))
        writer.hand_over()
    assert counts["service", "dropped"] == 30 * (MAX_WAITING // 10)
    taken = 0
    while taken < MAX_WAITING * 201:
        taken += len(os.read(reading, 1 << 20))
    until(lambda: counts["service", "written"] == MAX_WAITING, seconds=PATIENCE, what="every line counted")
    stream.items.append(1)
    writer.hand_over()
    until(lambda: counts["service", "written"] == MAX_WAITING + 1, seconds=PATIENCE, what="lines go on")
    writer.close(PATIENCE)
    os.close(reading)
    os.close(writing)


def test_a_full_disk_costs_lines_and_the_other_place_still_gets_them() -> None:
    sink, counts = Kept(), Counts()
    stream: Stream[int] = Stream("model", lambda item: b"%d\n" % item, [Full(), sink], counts)
    writer = LineWriter([stream])
    stream.items.extend([1, 2])
    writer.close(PATIENCE)
    assert sink.lines == [b"1\n", b"2\n"]
    assert counts == {("model", "failed"): 2}


def test_standard_output_gets_whole_lines_in_pieces_that_a_pipe_takes_at_once(tmp_path: Path) -> None:
    path = tmp_path / "out"
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY)
    lines = [b"%04d" % place + b"y" * 700 + b"\n" for place in range(50)] + [b"z" * (2 * PIECE_BYTES) + b"\n"]
    StandardOutput(descriptor).write(lines)
    os.close(descriptor)
    assert path.read_bytes() == b"".join(lines)


def test_a_file_is_put_aside_when_it_is_full_and_five_old_ones_are_kept(tmp_path: Path) -> None:
    file = RotatedFile(tmp_path / "logs" / "service_metrics.txt", limit=100)
    for place in range(20):
        file.write([b"%03d" % place + b"a" * 56 + b"\n"])
    names = sorted(path.name for path in (tmp_path / "logs").iterdir() if not path.name.startswith("."))
    assert names == ["service_metrics.txt"] + [f"service_metrics.txt.{n}" for n in range(1, KEPT_FILES + 1)]
    assert (tmp_path / "logs" / "service_metrics.txt").read_bytes().startswith(b"019")
    assert (tmp_path / "logs" / "service_metrics.txt.1").read_bytes().startswith(b"018")


def test_several_workers_append_to_one_file_and_no_line_is_torn_or_lost(tmp_path: Path) -> None:
    path = tmp_path / "model_metrics.txt"
    program = (
        "import sys; from pathlib import Path; from serving.request_log.sinks import RotatedFile\n"
        "file = RotatedFile(Path(sys.argv[1]), limit=20_000)\n"
        "for place in range(60): file.write([f'{sys.argv[2]}-{place}-{n}-{\"b\" * 40}\\n'.encode() for n in range(10)])\n"
    )
    workers = [
        subprocess.Popen([sys.executable, "-c", program, str(path), name], cwd=ROOT)
        for name in ("one", "two")
    ]
    assert [worker.wait(PATIENCE) for worker in workers] == [0, 0]
    lines = [line for file in tmp_path.glob("model_metrics.txt*") for line in file.read_text().splitlines()]
    assert len(lines) == len(set(lines))
    assert all(line.count("-") == 3 and line.endswith("b" * 40) for line in lines)
    assert all(file.stat().st_size <= 20_000 for file in tmp_path.glob("model_metrics.txt*"))
    assert len(lines) == 1200, "five old files hold all of it"
