"""Sessions over HTTP: refreshed, listed, ended and revoked (RFC 7009), by their owners and by administrators."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.front_service import FLOWER, FrontService
from tests.problem_schema import problem
from tests.token_requests import SECRET, basic, bearer, log_in, may, post, refused, service_with_users


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[FrontService]:
    with service_with_users(tmp_path_factory.mktemp("users"), sqlite_template) as made:
        yield made


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
