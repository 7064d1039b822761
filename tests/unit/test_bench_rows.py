"""The figures of fairness and of protocols: requests that hold the same rows, medians of ratios, and their bars."""

from __future__ import annotations

import json
import struct

import pytest

from bench.bars import fairness_bar, protocol_bars, shadow_bar
from bench.bodies import template, vary
from bench.fairness import Wait, table, waiting_bar
from bench.flame import Profile, read_stacks
from bench.flame import table as stages
from bench.large_caller import SERIAL, large_body, large_tensors
from bench.protocol_bodies import (
    NATIVE,
    V2_BINARY,
    V2_JSON,
    WRITERS,
    native,
    request,
    rows_of,
    v2_binary,
    v2_json,
)
from bench.protocols import MANY, ONE, PLAN, Cost, bars_of, ratio
from bench.report import told
from bench.shadow_cost import interval

ROW = vary({"distance": 1.25, "minutes": 2.5, "zone": "north"})


def wait(side: str, connections: int, alone: float, beside: float, protocol: str = NATIVE) -> Wait:
    return Wait(
        side=side,
        protocol=protocol,
        connections=connections,
        alone_p50_ms=0.5,
        alone_p99_ms=alone,
        beside_p50_ms=0.5,
        beside_p99_ms=beside,
        rows=1000.0,
    )


def test_what_counts_is_the_median_of_the_ratios_of_one_caller_and_of_this_tree() -> None:
    found = [wait("now", 1, 1.0, each) for each in (1.0, 1.5, 9.0)]
    found += [wait("now", 16, 1.0, 50.0), wait("before", 1, 1.0, 50.0), wait("now", 1, 1.0, 3.0, V2_JSON)]
    assert waiting_bar(found, NATIVE).value == 1.5
    assert waiting_bar(found, NATIVE).passed
    assert waiting_bar(found, V2_JSON).value == 3.0
    assert fairness_bar(NATIVE, 2.1).passed is False
    assert fairness_bar(NATIVE, None).passed is None
    assert len(table(found)) == 2 + 4


def test_a_large_body_holds_as_many_rows_and_no_two_alike() -> None:
    body = large_body(template(ROW.marked()), 300).replace(SERIAL, b"000017")
    rows = json.loads(body)["instances"]
    assert len(rows) == len({row["distance"] for row in rows}) == 300
    assert all(row["zone"] == "north" for row in rows)
    tensors = json.loads(large_tensors(template(ROW.marked()), 300).replace(SERIAL, b"000017"))["inputs"]
    columns = {tensor["name"]: tensor["data"] for tensor in tensors}
    assert columns == {name: [row[name] for row in rows] for name in rows[0]}
    assert [tensor["datatype"] for tensor in tensors] == ["FP64", "FP64", "BYTES"]


def test_every_protocol_carries_the_same_rows() -> None:
    rows = rows_of(ROW, 5_000_000, 3)
    assert json.loads(native(rows)[0])["instances"] == rows
    inputs = json.loads(v2_json(rows)[0])["inputs"]
    assert [item["data"] for item in inputs] == [[row[name] for row in rows] for name in rows[0]]
    body, headers = v2_binary(rows)
    length = int(headers["Inference-Header-Content-Length"])
    head = json.loads(body[:length])
    assert sum(item["parameters"]["binary_data_size"] for item in head["inputs"]) == len(body) - length
    assert struct.unpack("<3d", body[length : length + 24]) == tuple(row["distance"] for row in rows)


def test_rows_differ_from_request_to_request() -> None:
    seen = [tuple(row.values()) for first in (0, 1000, 2000) for row in rows_of(ROW, first, 1000)]
    assert len(seen) == len(set(seen))


def test_a_request_says_how_long_it_is() -> None:
    for protocol in WRITERS:
        head, _, body = request(protocol, "model-a", rows_of(ROW, 0, 2), "Bearer x").partition(b"\r\n\r\n")
        assert f"Content-Length: {len(body)}".encode() in head


def test_bars_compare_v2_with_native_and_its_two_forms_with_each_other() -> None:
    spent = {(name, rows): 10.0 for name, rows in PLAN}
    spent["v2 JSON", ONE] = 14.0
    spent[V2_BINARY, MANY] = 2.5
    found = [Cost(protocol=name, rows=rows, row_us=[us, us * 2]) for (name, rows), us in spent.items()]
    assert [bar.value for bar in bars_of(found)] == [1.4, 4.0]
    assert all(bar.passed for bar in bars_of(found))
    assert [bar.passed for bar in protocol_bars(1.6, 1.1)] == [False, False]
    assert ratio(found[0], found[0]) == 1.0


def test_the_interval_of_a_median_is_wide_for_few_rounds_and_narrow_for_many() -> None:
    assert interval([3.0, 1.0, 2.0]) == (1.0, 3.0)
    many = [float(number) for number in range(1, 41)]
    assert interval(many) == (14.0, 27.0)  # the sign test's for 40, of the tables


def test_a_shadow_that_costs_more_than_a_twentieth_misses_its_bar() -> None:
    assert [shadow_bar(ratio).passed for ratio in (1.05, 1.06, None)] == [True, False, None]


def test_a_missed_bar_is_an_exit_code_only_where_that_is_asked_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    missed = [fairness_bar(NATIVE, 2.1)]
    assert [told(missed, strict=strict) for strict in (False, True)] == [0, 1]
    assert told([fairness_bar(NATIVE, 1.9)], strict=True) == 0
    assert capsys.readouterr().out.count("**FAIL**") == 2


def test_a_sample_belongs_to_the_innermost_stage_that_it_is_in() -> None:
    stacks = read_stacks(
        [
            "run (uvloop/loop.pyx);__call__ (serving/http/app.py:140);predict (serving/http/native.py:43);encode (msgspec) 30",
            "run (uvloop/loop.pyx);__call__ (serving/http/app.py:140);append (serving/spool.py:80);write (libc) 50",
            "run (uvloop/loop.pyx);epoll_wait (libc) 20",
        ]
    )
    found = Profile(kind="hits", stacks=stacks, request_us=50.0, requests_per_second=1.0)
    assert stages(found)[4:] == [
        "| prediction log | 25.0 | 50 % |",
        "| use case and answer | 15.0 | 30 % |",
        "| event loop: waiting, reading sockets | 10.0 | 20 % |",
    ]
