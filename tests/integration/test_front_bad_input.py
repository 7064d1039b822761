"""Bad input: always a problem of the right kind, never a 5xx, and nothing logged as a prediction."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest

from tests.front_service import FLOWER, FrontService
from tests.problem_schema import problem

MEGABYTE = 1024 * 1024
DEEP = 100_000
BAD_BODIES: dict[str, tuple[bytes, int]] = {
    "empty": (b"", 400),
    "blank": (b" \n ", 400),
    "malformed": (b'{"sepal_length": ', 400),
    "two documents": (json.dumps(FLOWER).encode() * 2, 400),
    "a comment": (b"/* x */ {}", 400),
    "single quotes": (b"{'sepal_length': 1}", 400),
    "a list": (b"[]", 400),
    "a string": (b'"iris"', 400),
    "a number": (b"7", 400),
    "null": (b"null", 400),
    "an empty object": (b"{}", 400),
    "a missing field": (json.dumps({name: FLOWER[name] for name in list(FLOWER)[1:]}).encode(), 400),
    "an extra field": (json.dumps({**FLOWER, "colour": "blue"}).encode(), 400),
    "an extra field of a prototype": (json.dumps({**FLOWER, "__proto__": {}}).encode(), 400),
    **{
        f"a field that is {text[:20]}": (
            json.dumps({**FLOWER, "petal_width": 0}).replace("0}", text + "}").encode(),
            400,
        )
        for text in (
            *(
                '"0.2"',
                "null",
                "true",
                "[]",
                "{}",
                "[0.2]",
                "NaN",
                "Infinity",
                "-Infinity",
                "1e999",
                "-1e999",
            ),
            *(
                "0",
                "-0.0",
                "-1",
                "30.0001",
                "1e30",
                "9" * 400,
                "0x1",
                "01",
                "1.",
                "+1",
                '"\\ud800"',
                "1e-400",
            ),
        )
    },
    "not UTF-8": (b'{"sepal_length": "\xff\xfe"}', 400),
    "UTF-16": (json.dumps(FLOWER).encode("utf-16"), 400),
    "a byte order mark": (b"\xef\xbb\xbf" + json.dumps(FLOWER).encode(), 400),
    "a lone surrogate as key": (b'{"\\ud800": 1}', 400),
    "NUL bytes": (b"\x00" * 100, 400),
    "a duplicate key with a bad last value": (
        json.dumps(FLOWER)[:-1].encode() + b', "petal_width": -1}',
        400,
    ),
    "a hundred thousand lists": (b"[" * DEEP + b"]" * DEEP, 400),
    "a hundred thousand open lists": (b"[" * DEEP, 400),
    "a hundred thousand objects": (b'{"a":' * DEEP, 400),
    "deep instances": (b'{"instances": [' + b"[" * DEEP + b"]" * DEEP + b"]}", 400),
    "no instances": (b'{"instances": []}', 400),
    "instances that are none": (b'{"instances": {"a": 1}}', 400),
    "one bad instance": (json.dumps({"instances": [FLOWER, {}]}).encode(), 400),
    "only bad instances to skip": (json.dumps({"instances": [{}], "on_error": "skip"}).encode(), 400),
    "too many instances": (b'{"instances": [' + b"1," * 1000 + b"1]}", 400),
    "an unknown way of failing": (json.dumps({"instances": [FLOWER], "on_error": "ignore"}).encode(), 400),
    "ten megabytes": (b" " * 10 * MEGABYTE, 413),
    "one byte too many": (b" " * (MEGABYTE + 1), 413),
}


@pytest.mark.parametrize(("body", "status"), BAD_BODIES.values(), ids=BAD_BODIES.keys())
def test_a_bad_body_is_a_problem_and_no_prediction(service: FrontService, body: bytes, status: int) -> None:
    before = len(service.logged())
    codes = {400: "invalid-request", 413: "payload-too-large"}
    problem(service.predict(body), status, codes[status])
    assert len(service.logged()) == before
    assert service.predict(body, "/predict").status_code < 500  # another model may well take it


def test_a_body_without_a_length_is_measured_while_it_arrives(service: FrontService) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(200):
            yield b" " * 65_536

    response = service.ask("POST", "/predict/iris", content=endless(), headers=service.token())
    assert problem(response, 413, "payload-too-large")


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "text/plain"},
        {"content-type": "application/vnd.bentoml+pickle"},
        {"content-type": "application/python-pickle"},
        {"content-type": "multipart/form-data; boundary=x"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": ""},
        {"content-encoding": "gzip"},
        {"content-encoding": "br"},
    ],
    ids=str,
)
def test_other_kinds_of_bodies_are_not_taken(service: FrontService, headers: dict[str, str]) -> None:
    before = len(service.logged())
    problem(service.predict(FLOWER, **headers), 415, "unsupported-media-type")
    assert len(service.logged()) == before


def test_a_pickle_is_only_bytes_that_are_no_json(service: FrontService) -> None:
    problem(service.predict(b"cos\nsystem\n(S'true'\ntR."), 400, "invalid-request")


def test_a_wrong_content_length_is_invalid(service: FrontService) -> None:
    headers = {**service.token(), "content-length": "many"}
    problem(service.ask_raw("POST", "/predict/iris", headers, b"{}"), 400, "invalid-request")


def test_no_problem_repeats_what_was_sent_or_where_the_service_lives(service: FrontService) -> None:
    for row in (
        {**FLOWER, "petal_width": "hunter2"},
        {"instances": [FLOWER], "on_error": "hunter2"},
        "hunter2",
    ):
        assert "hunter2" not in service.predict(row).text
    for response in (
        service.predict({}, "/predict/nothing"),
        service.ask("GET", "/hunter2", headers=service.token()),
    ):
        assert str(service.settings.spool_dir) not in response.text
        assert "hunter2" not in response.text
        assert "Traceback" not in response.text


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("POST", "/predict/toaster", 404, "model-not-found"),
        ("POST", "/predict/", 404, "model-not-found"),
        ("GET", "/models/toaster", 404, "model-not-found"),
        ("GET", "/no-such-route", 404, "not-found"),
        ("GET", "/predict/iris", 405, "method-not-allowed"),
        ("PUT", "/predict/iris", 405, "method-not-allowed"),
        ("DELETE", "/models", 405, "method-not-allowed"),
        ("OPTIONS", "/predict/iris", 405, "method-not-allowed"),
        ("BREW", "/predict/iris", 405, "method-not-allowed"),
        ("POST", "/livez", 405, "method-not-allowed"),
        ("GET", "/login", 405, "method-not-allowed"),
    ],
)
def test_what_is_not_there_or_not_allowed_is_a_problem(
    service: FrontService, method: str, path: str, status: int, code: str
) -> None:
    response = service.ask(method, path, headers=service.token())
    problem(response, status, code)
    assert ("allow" in response.headers) == (status == 405)


def test_reading_routes_take_head_too(service: FrontService) -> None:
    for path in ("/livez", "/health", "/models"):
        assert service.ask("HEAD", path, headers=service.token()).status_code == 200
    refused = service.ask("HEAD", "/predict/iris", headers=service.token())
    assert (refused.status_code, refused.headers["allow"]) == (405, "POST")
    assert service.ask("POST", "/livez", headers=service.token()).headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize(
    ("accept", "status"),
    [("application/json", 200), ("text/html, */*;q=0.1", 200), ("application/*", 200), ("text/html", 406)],
)
def test_an_answer_in_json_must_be_acceptable(service: FrontService, accept: str, status: int) -> None:
    response = service.predict(FLOWER, accept=accept)
    assert response.status_code == status
    if status == 406:
        problem(response, 406, "not-acceptable")
