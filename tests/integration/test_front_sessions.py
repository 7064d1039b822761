"""Tokens and sessions over HTTP, as OAuth 2.0 (RFC 6749, RFC 7009) and our own paths have them."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from auth.passwords import Passwords
from auth.revocations import SUBJECT, Revocation
from records.engine import open_engine
from records.users import add_user, set_disabled
from serving.revocation_file import RevocationFile
from tests.front_service import FLOWER, PASSWORD, FrontService
from tests.problem_schema import problem

SECRET = "a secret that was made for the shop"  # of these tests
USERS = {"ada": ("predict read", "person"), "bob": ("predict", "person"), "root": ("admin", "person")}


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[FrontService]:
    folder = tmp_path_factory.mktemp("sessions")
    database = folder / "records.db"
    database.write_bytes(sqlite_template.read_bytes())
    url = f"sqlite:///{database}"
    engine, passwords = open_engine(url), Passwords()
    for name, (scopes, kind) in {**USERS, "gone": ("predict", "person")}.items():
        add_user(engine, username=name, password_hash=passwords.hash(PASSWORD), scopes=scopes, kind=kind)
    add_user(engine, username="shop", password_hash=passwords.hash(SECRET), scopes="predict", kind="client")
    set_disabled(engine, "gone", disabled=True)
    engine.dispose()
    made = FrontService(folder, database_url=url, models="iris")
    yield made
    made.close()


def post(front: FrontService, path: str, *, json: bool = False, **parameters: Any) -> httpx.Response:
    headers = {name: value for name, value in parameters.items() if name == "authorization"}
    sent = {name: value for name, value in parameters.items() if name != "authorization"}
    if json:
        return front.ask("POST", path, json=sent, headers=headers)
    return front.ask("POST", path, data=sent, headers=headers)


def log_in(front: FrontService, username: str = "ada") -> dict[str, Any]:
    response = front.ask("POST", "/login", json={"username": username, "password": PASSWORD})
    assert response.status_code == 200, response.text
    tokens: dict[str, Any] = response.json()
    return tokens


def bearer(tokens: dict[str, Any]) -> dict[str, Any]:
    return {"authorization": f"Bearer {tokens['access_token']}"}


def basic(client_id: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()


def may(front: FrontService, tokens: dict[str, Any]) -> bool:
    return front.ask("GET", "/auth/me", headers=bearer(tokens)).status_code == 200


def refused(response: httpx.Response, status: int, error: str) -> None:
    assert (response.status_code, response.json()["error"]) == (status, error), response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["error_description"]


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
    assert front.ask("POST", "/login", json={"username": "shop", "password": SECRET}).status_code == 401


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


def test_bodies_have_the_limits_of_all_others(front: FrontService) -> None:
    problem(
        front.ask("POST", "/auth/token", content=b"x", headers={"content-type": "text/xml"}),
        415,
        "unsupported-media-type",
    )
    large = urlencode({"grant_type": "password", "password": "x" * 10_000_000}).encode()
    headers = {"content-type": "application/x-www-form-urlencoded"}
    problem(front.ask("POST", "/auth/token", content=large, headers=headers), 413, "payload-too-large")
    deep = {"content-type": "application/json"}
    problem(front.ask("POST", "/auth/token", content=b"[" * 100_000, headers=deep), 400, "invalid-request")


def test_refreshing_gives_a_successor_and_a_second_use_ends_the_session_at_once(
    front: FrontService,
) -> None:
    first = log_in(front)
    response = front.ask("POST", "/auth/refresh", json={"refresh_token": first["refresh_token"]})
    assert response.headers["cache-control"] == "no-store"
    second = response.json()
    assert may(front, first)
    assert may(front, second)
    again = post(front, "/auth/token", grant_type="refresh_token", refresh_token=first["refresh_token"])
    refused(again, 400, "invalid_grant")
    for tokens in (first, second):
        problem(front.ask("GET", "/auth/me", headers=bearer(tokens)), 401, "token-revoked")
    assert len(front.trail.of("token.reused")) == 1


def test_logging_out_ends_this_session_here_at_once_and_no_other(front: FrontService) -> None:
    ending, other = log_in(front), log_in(front)
    assert front.predict(FLOWER, **bearer(ending)).status_code == 200
    assert front.ask("POST", "/auth/logout", headers=bearer(ending)).status_code == 200
    problem(front.predict(FLOWER, **bearer(ending)), 401, "token-revoked")
    problem(front.ask("POST", "/auth/logout", headers=bearer(ending)), 401, "token-revoked")
    body = {"refresh_token": ending["refresh_token"]}
    refused(front.ask("POST", "/auth/refresh", json=body), 400, "invalid_grant")
    assert front.predict(FLOWER, **bearer(other)).status_code == 200


def test_logging_out_with_a_token_of_no_session_ends_the_token(front: FrontService) -> None:
    token = front.token()
    assert front.ask("POST", "/auth/logout", headers=token).json() == {"ended": None}
    problem(front.ask("GET", "/auth/me", headers=token), 401, "token-revoked")


def test_users_list_and_end_their_own_sessions(front: FrontService) -> None:
    own, other = log_in(front, "bob"), log_in(front, "bob")
    listed = front.ask("GET", "/auth/sessions", headers=bearer(own)).json()["sessions"]
    current = [session for session in listed if session["current"]]
    assert len(current) == 1
    assert current[0]["address"] == "127.0.0.1"
    assert current[0]["id"] == front.ask("GET", "/auth/me", headers=bearer(own)).json()["session_id"]
    ended = front.ask("GET", "/auth/me", headers=bearer(other)).json()["session_id"]
    assert front.ask("DELETE", f"/auth/sessions/{ended}", headers=bearer(own)).json() == {"ended": ended}
    problem(front.ask("GET", "/auth/me", headers=bearer(other)), 401, "token-revoked")
    left = front.ask("GET", "/auth/sessions", headers=bearer(own)).json()["sessions"]
    assert ended not in {session["id"] for session in left}


def test_other_peoples_sessions_look_like_none(front: FrontService) -> None:
    hers, his = log_in(front, "ada"), log_in(front, "bob")
    session_id = front.ask("GET", "/auth/me", headers=bearer(hers)).json()["session_id"]
    answers = []
    for wanted in (session_id, "0" * 32, "x", "' OR 1=1 --", ""):
        response = front.ask_raw(
            "DELETE", f"/auth/sessions/{wanted}", {**bearer(his), "x-request-id": "the-same"}
        )
        problem(response, 404, "session-not-found")
        answers.append(response.content)
    assert len(set(answers)) == 1
    assert may(front, hers)


def test_a_revoked_access_token_is_refused_and_its_session_goes_on(front: FrontService) -> None:
    tokens = log_in(front)
    for _ in range(2):
        response = post(front, "/auth/revoke", token=tokens["access_token"], token_type_hint="refresh_token")
        assert response.status_code == 200
    problem(front.ask("GET", "/auth/me", headers=bearer(tokens)), 401, "token-revoked")
    fresh = front.ask("POST", "/auth/refresh", json={"refresh_token": tokens["refresh_token"]}).json()
    assert may(front, fresh)


def test_a_revoked_refresh_token_ends_its_session(front: FrontService) -> None:
    tokens = log_in(front)
    response = post(front, "/auth/revoke", json=True, token=tokens["refresh_token"])
    assert response.status_code == 200
    problem(front.ask("GET", "/auth/me", headers=bearer(tokens)), 401, "token-revoked")


def test_revoking_what_nobody_knows_is_no_error(front: FrontService) -> None:
    expired = front.token(lives=-600)["authorization"].removeprefix("Bearer ")
    for token in ("A" * 43, "a.b.c", "x", expired, "\u00e9"):
        assert post(front, "/auth/revoke", token=token).status_code == 200
    refused(post(front, "/auth/revoke", token_type_hint="access_token"), 400, "invalid_request")


def test_who_shows_credentials_while_revoking_must_be_right_about_them(front: FrontService) -> None:
    wrong = basic("shop", "wrong secret")
    refused(post(front, "/auth/revoke", token="x", authorization=wrong), 401, "invalid_client")
    right = basic("shop", SECRET.replace(" ", "+"))
    assert post(front, "/auth/revoke", token="x", authorization=right).status_code == 200
    problem(post(front, "/auth/revoke", token="x", authorization="Bearer x"), 401, "unauthenticated")


def test_only_an_administrator_revokes_a_subject(front: FrontService) -> None:
    hers, admin = log_in(front, "ada"), log_in(front, "root")
    problem(post(front, "/auth/revoke", subject="ada"), 401, "unauthenticated")
    problem(post(front, "/auth/revoke", subject="ada", **bearer(hers)), 403, "insufficient-scope")
    assert may(front, hers)
    assert post(front, "/auth/revoke", subject="ada", **bearer(admin)).status_code == 200
    problem(front.ask("GET", "/auth/me", headers=bearer(hers)), 401, "token-revoked")
    assert front.trail.of("token.revoked")[-1]["actor"] == "root"
    refused(post(front, "/auth/revoke", subject="a\n", **bearer(admin)), 400, "invalid_request")


def test_logins_are_counted_by_grant_and_result(front: FrontService) -> None:
    log_in(front)
    post(front, "/auth/token", grant_type="client_credentials", client_id="shop", client_secret="no")
    series = front.series()
    assert 'slipway_logins_total{grant="login",result="ok"}' in series
    assert 'slipway_logins_total{grant="client_credentials",result="refused"}' in series
    assert any(line.startswith("slipway_revocations_age_seconds") for line in series)


def test_what_the_agent_writes_holds_within_a_look(tmp_path: Path) -> None:
    made = FrontService(tmp_path, models="iris", catalog="catalog")
    try:
        token = made.token()
        assert made.predict(FLOWER, **token).status_code == 200
        one = Revocation(SUBJECT, "ada", time.time() + 1, time.time() + 900)
        RevocationFile(made.settings.model_store_dir).write([one], right_at=time.time())
        made.worker.identity.revoking.follower.look()
        problem(made.predict(FLOWER, **token), 401, "token-revoked")
    finally:
        made.close()


def test_without_a_list_nobody_is_let_in_and_the_reason_is_told(tmp_path: Path) -> None:
    made = FrontService(tmp_path, models="iris", revoked=None)
    try:
        response = made.ask("GET", "/readyz")
        assert response.status_code == 503
        assert "revocations" in response.json()["reasons"]["identity"]
    finally:
        made.close()


def test_after_one_token_life_a_worker_is_ready_without_any_list(tmp_path: Path) -> None:
    made = FrontService(tmp_path, models="iris", revoked=None, jwt_access_ttl_seconds=1, jwt_leeway_seconds=0)
    try:
        give_up_at = time.monotonic() + 20
        while made.ask("GET", "/readyz").status_code != 200:
            assert time.monotonic() < give_up_at
            time.sleep(0.05)
    finally:
        made.close()


def test_an_administrator_is_refused_while_the_list_is_old(tmp_path: Path, sqlite_url: str) -> None:
    made = FrontService(tmp_path, models="iris", database_url=sqlite_url)
    try:
        admin: dict[str, Any] = made.token("admin predict")
        file = RevocationFile(made.settings.model_store_dir)
        file.still_right(time.time() - 61)
        made.worker.identity.revoking.follower.look()
        problem(post(made, "/auth/revoke", subject="bob", **admin), 503, "identity-unavailable")
        assert made.predict(FLOWER, **admin).status_code == 200
        file.still_right(time.time())
        made.worker.identity.revoking.follower.look()
        assert post(made, "/auth/revoke", subject="bob", **admin).status_code == 200
    finally:
        made.close()
