"""Who may call what: tokens, scopes, what is passed on, and logging in; tests/attacks tries to get around it."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import pytest

from serving.http.app import Inner
from tests.front_service import FLOWER, PASSWORD, FrontService
from tests.problem_schema import problem


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer x",
        "Basic YTpi",
        "Bearer a.b.c",
        "Bearer " + "A" * 20_000,
        "bearer\tx",
        "é",
    ],
)
def test_a_bad_token_is_refused_with_a_challenge(service: FrontService, authorization: str) -> None:
    before = len(service.logged())
    response = service.ask_raw(
        "POST", "/predict/iris", {"authorization": authorization}, json.dumps(FLOWER).encode()
    )
    problem(response, 401, "unauthenticated")
    assert response.headers["www-authenticate"].startswith("Bearer")
    assert len(service.logged()) == before


def test_an_expired_token_is_refused_as_such(service: FrontService) -> None:
    response = service.predict(FLOWER, **service.token(lives=-600))
    problem(response, 401, "token-expired")
    assert "invalid_token" in response.headers["www-authenticate"]


@pytest.mark.parametrize(
    ("scopes", "path", "allowed"),
    [
        ("predict", "/predict/iris", True),
        ("predict:iris", "/predict/iris", True),
        ("predict:iris", "/predict", True),
        ("predict:food-delivery", "/predict/iris", False),
        ("predict:food-delivery", "/predict", False),
        ("predict:ir", "/predict/iris", False),
        ("read", "/predict/iris", False),
        ("admin", "/predict/iris", False),
        ("PREDICT", "/predict/iris", False),
    ],
)
def test_predicting_needs_the_models_scope(
    service: FrontService, scopes: str, path: str, allowed: bool
) -> None:
    response = service.predict(FLOWER, path, **service.token(scopes))
    if allowed:
        assert response.status_code == 200
    else:
        problem(response, 403, "insufficient-scope")


def test_reading_about_models_needs_its_own_scope(service: FrontService) -> None:
    for path in ("/models", "/models/info", "/models/iris", "/models/iris/history"):
        assert service.ask("GET", path, headers=service.token("read")).status_code == 200
        problem(service.ask("GET", path, headers=service.token("predict")), 403, "insufficient-scope")


def test_a_path_in_the_query_or_in_a_header_is_not_believed(service: FrontService) -> None:
    headers = {"x-original-url": "/livez", "x-rewrite-url": "/livez", "x-forwarded-uri": "/livez"}
    assert service.ask("GET", "/models?path=/livez", headers=headers).status_code == 401
    token = service.token()["authorization"].removeprefix("Bearer ")
    assert service.ask("GET", f"/models?access_token={token}").status_code == 401
    assert service.ask("GET", "/models", headers={"cookie": f"access_token={token}"}).status_code == 401


def test_what_is_passed_on_needs_a_token_too_and_is_counted(service: FrontService) -> None:
    behind = Behind(service)
    problem(service.ask_raw("GET", "/inner"), 401, "unauthenticated")
    problem(service.ask_raw("BREW", "/inner", service.token()), 405, "method-not-allowed")
    assert behind.asked == []
    response = service.ask_raw("GET", "/inner", service.token())
    assert (response.status_code, behind.asked) == (204, [("/inner", b"")])
    assert response.headers["x-request-id"]
    assert any('code="204"' in line and 'route="/inner"' in line for line in service.series())


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b'{"sepal_length": "long"}', 400),
        (b'{"sepal_length": NaN}', 400),
        (b"[" * 100_000, 400),
        (json.dumps({"instances": [FLOWER]}).encode(), 400),
        (b" " * 10_000_000, 413),
    ],
)
def test_a_typed_api_gets_no_body_that_its_model_would_refuse(
    service: FrontService, body: bytes, status: int
) -> None:
    behind = Behind(service)
    response = service.predict(body, "/predict_iris")
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")
    assert service.predict(FLOWER, "/predict_iris", **{"content-type": "text/xml"}).status_code == 415
    problem(service.ask("GET", "/predict_iris", headers=service.token()), 405, "method-not-allowed")
    assert behind.asked == []


def test_a_typed_api_gets_the_whole_of_a_good_body(service: FrontService) -> None:
    behind = Behind(service)
    assert service.predict(FLOWER, "/predict_iris").status_code == 204
    assert behind.asked == [("/predict_iris", json.dumps(FLOWER).encode())]


class Behind:
    """An app behind the front app, that remembers what it was asked."""

    def __init__(self, service: FrontService) -> None:
        self.asked: list[tuple[str, bytes]] = []
        check = partial(service.worker.native.checked_row, name="iris")
        service.worker.front.pass_on(Inner(self.app, frozenset({"/inner"}), {"/predict_iris": check}))

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked.append((scope["path"], (await receive()).get("body", b"")))
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})


def test_logging_in_gives_a_token_that_predicts(service: FrontService) -> None:
    response = service.ask("POST", "/login", json={"username": "ada", "password": PASSWORD})
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    token = {"authorization": f"Bearer {response.json()['access_token']}"}
    assert service.predict(FLOWER, **token).status_code == 200
    assert service.ask("GET", "/auth/me", headers=token).json()["subject"] == "ada"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"username": "ada", "password": "wrong"}, 401),
        ({"username": "nobody", "password": PASSWORD}, 401),
        ({"username": "ada' OR 1=1 --", "password": "x"}, 401),
        ({"username": "ada\u0000", "password": PASSWORD}, 401),
        ({"username": "ada", "password": "p" * 5000}, 400),
        ({"username": "", "password": ""}, 400),
        ({"username": "ada"}, 400),
        ({"username": ["ada"], "password": PASSWORD}, 400),
        ({"username": "ada", "password": PASSWORD, "scopes": "admin"}, 400),
        ([], 400),
    ],
)
def test_a_failed_login_says_no_more_than_it_must(service: FrontService, body: Any, status: int) -> None:
    response = service.ask("POST", "/login", json=body)
    problem(response, status, "wrong-credentials" if status == 401 else "invalid-request")
    assert PASSWORD not in response.text
    if status == 401:
        assert response.json()["detail"] == "user name or password is wrong"


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[" * 10_000, b'{"username": "ada", "password": "\\ud800"}', b'{"username": "\xff"}'],
)
def test_a_bad_login_body_is_invalid(service: FrontService, body: bytes) -> None:
    problem(service.ask("POST", "/login", content=body), 400, "invalid-request")
