"""POST /login and POST /auth/token, as OAuth 2.0 (RFC 6749) has them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.front_service import FLOWER, PASSWORD, FrontService
from tests.problem_schema import problem
from tests.token_requests import SECRET, basic, bearer, post, refused, service_with_users


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[FrontService]:
    with service_with_users(tmp_path_factory.mktemp("users"), sqlite_template) as made:
        yield made


def test_logging_in_gives_both_tokens_and_no_cache_keeps_them(front: FrontService) -> None:
    response = front.ask("POST", "/login", json={"username": "ada", "password": PASSWORD})
    assert response.headers["cache-control"] == "no-store"
    assert set(response.json()) == {"access_token", "token_type", "expires_in", "scope", "refresh_token"}
    assert (response.json()["token_type"], response.json()["scope"]) == ("Bearer", "predict read")


@pytest.mark.parametrize("json", [False, True], ids=["form", "json"])
def test_a_password_is_a_grant_and_may_ask_for_less(front: FrontService, json: bool) -> None:
    asked: dict[str, Any] = {"grant_type": "password", "username": "ada", "password": PASSWORD}
    response = post(front, "/auth/token", json=json, scope="predict:iris", **asked)
    assert (response.status_code, response.json()["scope"]) == (200, "predict:iris")
    assert front.predict(FLOWER, **bearer(response.json())).status_code == 200
    assert front.ask("GET", "/models", headers=bearer(response.json())).status_code == 403


@pytest.mark.parametrize("how", ["basic", "form", "json"])
def test_a_client_gets_a_token_for_its_secret_and_nothing_to_refresh(front: FrontService, how: str) -> None:
    named = {"client_id": "shop", "client_secret": SECRET}
    if how == "basic":
        named = {"authorization": basic("shop", SECRET.replace(" ", "%20"))}
    response = post(front, "/auth/token", json=how == "json", grant_type="client_credentials", **named)
    assert response.status_code == 200, response.text
    assert "refresh_token" not in response.json()
    assert front.predict(FLOWER, **bearer(response.json())).status_code == 200


def test_a_client_is_no_person_and_a_person_no_client(front: FrontService) -> None:
    as_person: dict[str, Any] = {"grant_type": "password", "username": "shop", "password": SECRET}
    refused(post(front, "/auth/token", **as_person), 400, "invalid_grant")
    as_client: dict[str, Any] = {
        "grant_type": "client_credentials",
        "client_id": "ada",
        "client_secret": PASSWORD,
    }
    response = post(front, "/auth/token", **as_client)
    refused(response, 401, "invalid_client")
    assert response.headers["www-authenticate"] == 'Basic realm="slipway"'
    login = front.ask("POST", "/login", json={"username": "shop", "password": SECRET})
    assert problem(login, 401, "wrong-credentials")["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("parameters", "status", "error"),
    [
        ({}, 400, "invalid_request"),
        ({"grant_type": ""}, 400, "invalid_request"),
        ({"grant_type": "authorization_code", "code": "x"}, 400, "unsupported_grant_type"),
        ({"grant_type": "implicit"}, 400, "unsupported_grant_type"),
        ({"grant_type": "password", "username": "ada"}, 400, "invalid_request"),
        ({"grant_type": "password", "username": "eve", "password": PASSWORD}, 400, "invalid_grant"),
        ({"grant_type": "password", "username": "gone", "password": PASSWORD}, 400, "invalid_grant"),
        (
            {"grant_type": "password", "username": "bob", "password": PASSWORD, "scope": "admin"},
            400,
            "invalid_scope",
        ),
        ({"grant_type": "refresh_token"}, 400, "invalid_request"),
        ({"grant_type": "refresh_token", "refresh_token": "A" * 43}, 400, "invalid_grant"),
        ({"grant_type": "refresh_token", "refresh_token": "' OR 1=1 --"}, 400, "invalid_grant"),
        ({"grant_type": "client_credentials"}, 401, "invalid_client"),
        ({"grant_type": "client_credentials", "client_id": "shop"}, 401, "invalid_client"),
        ({"grant_type": "client_credentials", "authorization": "Basic !!!"}, 401, "invalid_client"),
        (
            {"grant_type": "client_credentials", "authorization": basic("shop", "x"), "client_secret": "x"},
            400,
            "invalid_request",
        ),
        (
            {"grant_type": "client_credentials", "authorization": basic("shop", "x"), "client_id": "other"},
            400,
            "invalid_request",
        ),
        ({"grant_type": "password", "scope": "x" * 9000}, 400, "invalid_request"),
    ],
)
def test_whatever_is_wrong_has_its_name_in_the_standard(
    front: FrontService, parameters: dict[str, Any], status: int, error: str
) -> None:
    refused(post(front, "/auth/token", **parameters), status, error)


@pytest.mark.parametrize(
    "body",
    [
        "grant_type=password&grant_type=refresh_token",
        "grant_type=client_credentials&client_id=shop&client_id=shop",
        "grant_type=password&username=%ff",
        "grant_type=passw\u00f6rd",
        "&".join(f"a{number}=1" for number in range(100)),
    ],
)
def test_a_form_that_can_be_read_in_two_ways_is_refused(front: FrontService, body: str) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    refused(front.ask("POST", "/auth/token", content=body.encode(), headers=headers), 400, "invalid_request")


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b'{"grant_type": 1}', b'{"grant_type": "password", "grant_type": "x"}', b"\xff"]
)
def test_a_json_body_that_can_be_read_in_two_ways_is_refused(front: FrontService, body: bytes) -> None:
    headers = {"content-type": "application/json"}
    refused(front.ask("POST", "/auth/token", content=body, headers=headers), 400, "invalid_request")


def test_bodies_are_small_and_no_deeper_than_others(front: FrontService) -> None:
    large = urlencode({"grant_type": "password", "password": "x" * 16_384}).encode()
    headers = {"content-type": "application/x-www-form-urlencoded"}
    problem(front.ask("POST", "/auth/token", content=large, headers=headers), 413, "payload-too-large")
    deep = {"content-type": "application/json"}
    problem(front.ask("POST", "/auth/token", content=b"[" * 10_000, headers=deep), 400, "invalid-request")


OAUTH_ROUTES = ("/login", "/auth/token", "/auth/refresh", "/auth/revoke")


@pytest.mark.parametrize("path", OAUTH_ROUTES)
def test_every_refusal_has_a_name_of_the_standard_and_no_cache_keeps_it(
    front: FrontService, path: str
) -> None:
    answers = [
        front.ask("GET", path),
        front.ask("POST", path, content=b"x", headers={"content-type": "text/xml"}),
        front.ask("POST", path, json={}),
        front.ask("POST", path, content=b"[" * 10_000, headers={"content-type": "application/json"}),
        front.ask("POST", path, content=b"{}", headers={"accept": "text/html"}),
    ]
    assert [answer.status_code for answer in answers] == [405, 415, 400, 400, 406]
    for answer in answers:
        refused(answer, answer.status_code, "invalid_request")
        assert answer.headers["cache-control"] == "no-store"


def test_an_overloaded_service_says_so_in_the_standards_words(tmp_path: Path, sqlite_template: Path) -> None:
    with service_with_users(tmp_path, sqlite_template, max_in_flight=1) as crowded:
        crowded.worker.metrics.in_flight = 1
        for path in OAUTH_ROUTES:
            refused(crowded.ask("POST", path, json={}), 503, "temporarily_unavailable")
        crowded.worker.metrics.in_flight = 0


def test_other_routes_keep_the_text_that_the_inference_protocol_has(front: FrontService) -> None:
    said = problem(front.predict(b"x", **{"content-type": "text/xml"}), 415, "unsupported-media-type")
    assert said["error"] == said["detail"] == "the body must be application/json"
    assert "error_description" not in said


def test_a_bearer_token_that_will_not_do_is_named_while_revoking(front: FrontService) -> None:
    refused(post(front, "/auth/revoke", subject="ada"), 401, "invalid_token")
    reader: dict[str, Any] = {**front.token("read")}
    refused(post(front, "/auth/revoke", subject="ada", **reader), 403, "insufficient_scope")
