"""Every answer names its trace, whoever began it, and the record of a prediction carries the same name."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.front_service import FLOWER, FrontService

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
OURS = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-0[01]")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FrontService]:
    service = FrontService(tmp_path_factory.mktemp("traced"), models="iris")
    yield service
    service.close()


def test_an_answer_goes_on_with_its_callers_trace_and_so_does_the_record(service: FrontService) -> None:
    answer = service.predict(FLOWER, traceparent=f"00-{TRACE}-{SPAN}-01")
    found = OURS.fullmatch(answer.headers["traceparent"])
    assert found
    assert found[1] == TRACE
    assert found[2] != SPAN
    record = next(each for each in service.logged() if each.request_id == answer.headers["x-request-id"])
    assert record.trace_id == TRACE


@pytest.mark.parametrize(
    "malformed",
    ["", "garbage", f"ff-{TRACE}-{SPAN}-01", f"00-{TRACE.upper()}-{SPAN}-01", f"00-{'0' * 32}-{SPAN}-01"],
)
def test_a_malformed_header_is_as_if_it_were_not_there(service: FrontService, malformed: str) -> None:
    answer = service.predict(FLOWER, traceparent=malformed)
    assert answer.status_code == 200
    found = OURS.fullmatch(answer.headers["traceparent"])
    assert found
    assert found[1] != TRACE


def test_of_two_traces_neither_is_the_callers(service: FrontService) -> None:
    sent = [("traceparent", f"00-{TRACE}-{SPAN}-01"), ("traceparent", f"00-{'b' * 32}-{SPAN}-01")]
    answer = service.ask_raw("GET", "/livez", sent)
    assert answer.headers["traceparent"][3:35] not in (TRACE, "b" * 32)


def test_header_fields_that_repeat_otherwise_are_no_trouble(service: FrontService) -> None:
    sent = [("traceparent", f"00-{TRACE}-{SPAN}-01"), ("accept", "*/*"), ("accept", "text/html")]
    assert service.ask_raw("GET", "/livez", sent).headers["traceparent"][3:35] == TRACE


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/livez", 200), ("GET", "/nowhere", 401), ("POST", "/livez", 405)]
)
def test_whatever_the_answer_it_has_a_trace(
    service: FrontService, method: str, path: str, status: int
) -> None:
    answer = service.ask(method, path)
    assert answer.status_code == status
    assert OURS.fullmatch(answer.headers["traceparent"])


def test_two_requests_are_two_traces(service: FrontService) -> None:
    traces = {service.ask("GET", "/livez").headers["traceparent"][3:35] for _ in range(20)}
    assert len(traces) == 20


def test_all_rows_of_a_request_carry_its_trace(service: FrontService) -> None:
    answer = service.predict(
        {"instances": [FLOWER, {**FLOWER, "petal_width": 1.25}]}, traceparent=f"00-{TRACE}-{SPAN}-00"
    )
    rows = [each for each in service.logged() if each.request_id == answer.headers["x-request-id"]]
    assert [row.trace_id for row in rows] == [TRACE, TRACE]
