"""Problems: one renderer, one shape, and headers that say what to do next."""

from __future__ import annotations

import json

import pytest

from auth.challenges import expired_token, invalid_token, missing_token, wrong_credentials
from auth.scopes import insufficient
from modelkit.errors import (
    FieldError,
    InvalidRequest,
    MethodNotAllowed,
    ServableError,
    SlipwayError,
    Unavailable,
)
from serving.http.problems import PROBLEM_JSON, problem_reply, problem_types
from tests.problem_schema import PROBLEM, faults

KINDS = problem_types()
by_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())


@by_kind
def test_every_kind_of_error_renders_to_a_problem_as_described(kind: type[SlipwayError]) -> None:
    reply = problem_reply(kind(), request_id="r-1")
    body = json.loads(reply.body)
    assert faults(body, PROBLEM) == []
    assert (reply.status, reply.media_type) == (kind.status, PROBLEM_JSON)
    assert (body["status"], body["code"], body["title"]) == (kind.status, kind.code, kind.title)
    assert body["type"] == f"/problems/{kind.code}"
    assert (body["request_id"], body["instance"]) == ("r-1", "urn:slipway:request:r-1")
    assert body["error"] == (kind.oauth or body["detail"]) != ""
    assert body.get("error_description") == (body["detail"] if kind.oauth else None)


def test_a_client_that_shows_one_sentence_shows_what_is_wrong_and_where() -> None:
    found = [
        FieldError(pointer="/inputs/0/data/1", detail="Input should be a number", row=1),
        FieldError(pointer="/inputs", detail="The tensor b is missing"),
        FieldError(pointer="/inputs/2/shape", detail="The shape should be [1]"),
    ]

    def told(*errors: FieldError) -> str:
        reply = problem_reply(InvalidRequest("The tensors are not valid", errors=errors), request_id="r-1")
        return str(json.loads(reply.body)["error"])

    assert told() == "The tensors are not valid"
    first = "The tensors are not valid: /inputs/0/data/1: Input should be a number"
    assert told(found[0]) == first
    assert told(*found) == f"{first} (and 2 more)"
    assert told(FieldError(pointer="", detail="Input should be JSON")).endswith("valid: Input should be JSON")


@by_kind
def test_every_code_belongs_to_one_kind(kind: type[SlipwayError]) -> None:
    assert [other for other in KINDS.values() if other.code == kind.code] == [kind]
    assert kind.status in range(400, 600)


@by_kind
def test_whoever_may_come_back_is_told_when(kind: type[SlipwayError]) -> None:
    headers = dict(problem_reply(kind(), request_id="r-1").headers)
    assert (b"retry-after" in headers) == (kind.status in (429, 503))


def test_a_longer_wait_of_the_error_itself_is_kept() -> None:
    error = Unavailable(headers=[("Retry-After", "30")])
    assert problem_reply(error, request_id="r-1").headers == ((b"retry-after", b"30"),)


@pytest.mark.parametrize(
    "error", [missing_token(), invalid_token(), expired_token(), wrong_credentials(), insufficient("read")]
)
def test_a_refused_caller_gets_a_challenge(error: SlipwayError) -> None:
    headers = dict(problem_reply(error, request_id="r-1").headers)
    assert headers[b"www-authenticate"].startswith(b'Bearer realm="slipway"')


def test_headers_of_an_error_are_sent_in_lower_case() -> None:
    error = MethodNotAllowed(headers=[("Allow", "GET, POST")])
    assert problem_reply(error, request_id="r-1").headers == ((b"allow", b"GET, POST"),)


def test_field_errors_carry_their_row_only_where_there_is_one() -> None:
    errors = [FieldError(pointer="/a", detail="x"), FieldError(pointer="/instances/2/a", detail="y", row=2)]
    body = json.loads(problem_reply(InvalidRequest(errors=errors), request_id="r-1").body)
    assert faults(body, PROBLEM) == []
    assert body["errors"] == [
        {"pointer": "/a", "detail": "x"},
        {"pointer": "/instances/2/a", "detail": "y", "row": 2},
    ]


def test_an_unexpected_exception_renders_as_an_internal_error_that_tells_nothing() -> None:
    body = json.loads(problem_reply(SlipwayError(), request_id="r-1").body)
    assert (body["status"], body["detail"], body["errors"]) == (500, "Internal error", [])


def test_what_is_wrong_with_a_version_is_never_a_problem_of_a_caller() -> None:
    assert not any(issubclass(kind, ServableError) for kind in KINDS.values())
