"""Slow and huge clients, by the hundred: each is ended soon, told why, costs little memory, and others do not notice."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.e2e.running_service import RunningService
from tests.front_service import FLOWER
from tests.hostile.answers import all_answers, first_answer
from tests.hostile.crowd import Ended, bystander, crowd, deaf
from tests.hostile.judge import verdict
from tests.hostile.messages import JSON, Message
from tests.hostile.target import condition, highest
from tests.hostile.wire import Line

MANY = 600  # more than may be in flight, and more bodies than are waited for
ENOUGH = 5
LIMIT_SECONDS = 10.0
UNREAD_SECONDS = 15.0  # a long answer may be taken slowly
LIMIT_BYTES, PEAK_BYTES = 64 * 1024 * 1024, 128 * 1024 * 1024
MEGABYTE = 1 << 20


@pytest.fixture(scope="module")
def service(attacked: RunningService) -> RunningService:
    """Once it has imported what it needs for an answer."""
    with Line(attacked.api_port) as line:
        assert line.ask(flower(attacked).raw(), to="POST").status == 200
    return attacked


def post(service: RunningService, body: bytes, *headers: tuple[bytes, bytes]) -> Message:
    token = (b"Authorization", b"Bearer " + service.token("predict").encode())
    return Message("POST", b"/predict/iris", (token, *headers), body)


def flower(service: RunningService) -> Message:
    return post(service, json.dumps(FLOWER).encode(), JSON)


@contextmanager
def others_unharmed(service: RunningService) -> Iterator[None]:
    """Who predicts and who probes is answered meanwhile, and memory stays bounded at every moment of it."""
    before, port = condition(service), service.api_port
    with (
        bystander(port, flower(service).raw()) as caller,
        bystander(port, b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n", to="GET") as probe,
        highest(service) as peak,
    ):
        yield
        grown = condition(service).pss_bytes - before.pss_bytes
    for seen in (caller, probe):
        assert (seen.statuses, seen.errors) == ({200}, [])
        assert seen.asked >= ENOUGH
    assert grown <= LIMIT_BYTES
    assert max(peak) - before.pss_bytes <= PEAK_BYTES
    assert condition(service).workers == before.workers


def in_time(ended: list[Ended]) -> list[Ended]:
    """Those whose connections were ended soon, which is all of them."""
    late = [each for each in ended if each.seconds is None or each.seconds > LIMIT_SECONDS]
    assert late == []
    return ended


def was_refused(said: bytes) -> bool:
    answer, _ = first_answer(said)
    return answer is not None and (answer.status, verdict(answer)) == (413, [])


def all_were_told(ended: list[Ended], status: int) -> None:
    for each in in_time(ended):
        (answer,) = all_answers(each.said)
        assert (answer.status, verdict(answer)) == (status, []), each.said


def test_a_head_that_does_not_end_is_waited_for_only_so_long(service: RunningService) -> None:
    with others_unharmed(service):
        all_were_told(
            crowd(service.api_port, MANY, b"GET /livez HTTP/1.1\r\nHost: x\r\n", b"X-A: b\r\n"), 408
        )


def test_a_body_that_does_not_end_is_waited_for_only_so_long(service: RunningService) -> None:
    first = post(service, b" " * 1000).raw()[:-999]
    with others_unharmed(service):
        all_were_told(crowd(service.api_port, MANY, first, b" "), 408)


def test_bodies_from_nobody_known_keep_nobody_from_his_answer(service: RunningService) -> None:
    first = b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"
    with others_unharmed(service):
        all_were_told(crowd(service.api_port, MANY, first), 408)


def test_large_bodies_that_do_not_end_take_only_so_much_memory(service: RunningService) -> None:
    with others_unharmed(service):
        all_were_told(crowd(service.api_port, 200, post(service, b" " * MEGABYTE).raw()[:-1]), 408)


def test_a_body_that_nobody_wants_is_not_waited_for_either(service: RunningService) -> None:
    first = b"POST /predict/iris HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"
    with others_unharmed(service):
        all_were_told(crowd(service.api_port, 100, first, b" "), 401)


@pytest.mark.parametrize("drip", [b"", b"\r\n"], ids=["silent", "line ends"])
def test_whoever_asks_nothing_may_not_stay(service: RunningService, drip: bytes) -> None:
    with others_unharmed(service):
        assert {each.said for each in in_time(crowd(service.api_port, 100, drip, drip))} == {b""}


def test_answers_that_nobody_reads_are_not_kept(service: RunningService) -> None:
    questions = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 200
    with others_unharmed(service):
        assert all(deaf(service.api_port, 50, questions, seconds=UNREAD_SECONDS))


def test_a_body_without_an_end_is_refused_and_its_client_cut_off(service: RunningService) -> None:
    head = post(service, b"").raw().replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
    with others_unharmed(service):
        chunks = (b"10000\r\n" + b" " * 65_536 + b"\r\n") * 4
        assert all(was_refused(each.said) for each in in_time(crowd(service.api_port, 4, head, chunks)))


def test_a_body_of_20_megabytes_is_refused_and_its_client_hears_it(service: RunningService) -> None:
    with others_unharmed(service), Line(service.api_port) as line:
        answer = line.ask(post(service, b" " * 20 * MEGABYTE).raw(), to="POST")
        assert (answer.status, verdict(answer)) == (413, [])


def test_a_body_of_64_megabytes_is_refused(service: RunningService) -> None:
    with others_unharmed(service):
        (each,) = crowd(service.api_port, 1, post(service, b" " * 64 * MEGABYTE).raw())
        assert was_refused(each.said)


def test_nested_and_compressed_bodies_cost_nothing(service: RunningService) -> None:
    bomb = gzip.compress(b" " * 64 * MEGABYTE)
    asked = [
        (post(service, b"[" * 100_000), 400),
        (post(service, b'{"a":' * 100_000 + b"1" + b"}" * 100_000), 400),
        (post(service, bomb, (b"Content-Encoding", b"gzip")), 415),
    ]
    with others_unharmed(service), Line(service.api_port) as line:
        for message, status in asked * 20:
            answer = line.ask(message.raw(), to="POST")
            assert (answer.status, verdict(answer)) == (status, [])


def test_a_flood_of_pipelined_requests_is_answered_in_part(service: RunningService) -> None:
    flood = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n" * 10_000
    with others_unharmed(service):
        for each in in_time(crowd(service.api_port, 100, flood)):
            assert {answer.status for answer in all_answers(each.said)} <= {200}


def test_where_there_is_no_room_those_who_ask_nothing_make_it(service: RunningService) -> None:
    with others_unharmed(service):
        in_time(crowd(service.api_port, 1000, b"GET /livez HTTP/1.1\r\nHost: x\r\n"))
