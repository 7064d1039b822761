"""The bench's load: what wrk wrote, and the bodies that it sends."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from bench.bodies import (
    bentoml_row,
    bentoml_rows,
    dataframe_split,
    filled,
    plain,
    template,
    v2_columns,
    vary,
)
from bench.client import predicted_value
from bench.errors import BenchError
from bench.load import Target, parse_wrk, request_head

OUTPUT = """\
Running 2s test @ http://127.0.0.1:41000
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     8.11ms    4.60ms  61.02ms   93.21%
    Req/Sec     8.00k     1.00k   10.10k    70.00%
  16000 requests in 2.00s, 4.12MB read
Requests/sec:   8000.00
BENCH {"requests":16000,"duration_us":2000000,"p50_us":7500,"p99_us":30100,"status_errors":3,"socket_errors":1}
"""
VALUES = {"distance_km": 4.25, "items": 3, "weight_kg": 1.5, "zone": "north"}
Shape = Callable[[Mapping[str, Any]], Any]
FORMATS: list[Shape] = [plain, bentoml_row, bentoml_rows, dataframe_split, v2_columns]


def test_the_result_line_is_found_among_wrks_own_output() -> None:
    result = parse_wrk(OUTPUT)
    assert result.requests_per_second == 8000
    assert (result.p50_us, result.p99_us) == (7500, 30100)
    assert (result.status_errors, result.socket_errors) == (3, 1)


def test_a_run_without_a_result_is_an_error_that_shows_the_output() -> None:
    with pytest.raises(BenchError, match="unable to connect"):
        parse_wrk("unable to connect to 127.0.0.1:1 Connection refused\n")


def test_the_request_head_ends_where_the_content_length_follows() -> None:
    target = Target(port=4100, path="/predict", headers={"Authorization": "Bearer x"}, template="{}")
    head = request_head(target)
    assert head.startswith("POST /predict HTTP/1.1\r\nHost: 127.0.0.1:4100\r\n")
    assert head.endswith("Authorization: Bearer x\r\n")


def test_two_fractional_numbers_are_varied_and_nothing_else() -> None:
    assert [item.name for item in vary(VALUES).varied] == ["distance_km", "weight_kg"]


def test_an_example_without_two_fractional_numbers_is_refused() -> None:
    with pytest.raises(ValueError, match="two fractional"):
        vary({"distance_km": 4.25, "items": 3.0})


@pytest.mark.parametrize("shape", FORMATS)
def test_a_filled_template_is_the_body_with_other_numbers(shape: Shape) -> None:
    row = vary(VALUES)
    first, second = (json.loads(filled(template(shape(row.marked())), n)) for n in (0, 1001))
    assert first == shape(row.fixed())
    assert second != first


@pytest.mark.parametrize("shape", FORMATS)
def test_no_two_bodies_are_the_same(shape: Shape) -> None:
    marked = template(shape(vary(VALUES).marked()))
    numbers = [*range(3000), *range(1_000_000, 1_003_000)]
    assert len({filled(marked, n) for n in numbers}) == len(numbers)


@pytest.mark.parametrize("shape", FORMATS)
def test_a_fixed_body_has_no_marks(shape: Shape) -> None:
    assert "@@" not in template(shape(vary(VALUES).fixed()))


@pytest.mark.parametrize(
    "body",
    [
        b'{"prediction":21.5,"cached":true}',
        b'{"predictions":[21.5]}',
        b"[21.5]",
        b'{"model_name":"bench","outputs":[{"name":"prediction","shape":[1],"data":[21.5]}]}',
    ],
)
def test_the_prediction_is_found_in_every_servers_answer(body: bytes) -> None:
    assert predicted_value(body) == 21.5


def test_an_answer_without_a_prediction_is_an_error() -> None:
    with pytest.raises(BenchError, match="no prediction"):
        predicted_value(b'{"detail":"nothing here"}')
