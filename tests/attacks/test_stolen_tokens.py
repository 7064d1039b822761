"""A refresh token that was stolen is worth one use, ends what it came from, and never gives more than was granted (T12)."""

from __future__ import annotations

import pytest

from tests.attacks.callers import Caller, log_in, refresh
from tests.front_service import FrontService
from tests.problem_schema import problem


def test_a_refresh_token_used_twice_ends_its_session_and_no_other(fortress: FrontService) -> None:
    victim, elsewhere = log_in(fortress, "ada"), log_in(fortress, "ada")
    successor = refresh(fortress, victim.tokens["refresh_token"])
    assert successor.status_code == 200
    heir = Caller(fortress, "ada", successor.json(), victim.address)
    problem(refresh(fortress, victim.tokens["refresh_token"]), 400, "invalid-grant")
    assert not victim.is_let_in()
    assert not heir.is_let_in()
    problem(refresh(fortress, heir.tokens["refresh_token"]), 400, "invalid-grant")
    assert elsewhere.is_let_in()
    assert fortress.trail.of("token.reused")


@pytest.mark.parametrize(
    "asked", ["admin", "predict read admin", "feedback", "predict read predict:x admin", "*"]
)
def test_no_scope_is_gained_by_refreshing(fortress: FrontService, asked: str) -> None:
    caller = log_in(fortress, "bob")
    problem(refresh(fortress, caller.tokens["refresh_token"], scope=asked), 400, "invalid-scope")
    again = refresh(fortress, caller.tokens["refresh_token"])
    assert (again.status_code, again.json()["scope"]) == (200, "predict read")


def test_one_kind_of_token_is_not_another(fortress: FrontService) -> None:
    caller = log_in(fortress, "eve")
    swapped = {"authorization": f"Bearer {caller.tokens['refresh_token']}"}
    problem(fortress.ask_raw("GET", "/auth/me", swapped), 401, "unauthenticated")
    problem(refresh(fortress, caller.tokens["access_token"]), 400, "invalid-grant")
    assert caller.is_let_in()


@pytest.mark.parametrize("how", ["logout", "revoke access", "revoke refresh", "end"])
def test_what_was_ended_stays_ended(fortress: FrontService, how: str) -> None:
    caller = log_in(fortress, "bob")
    if how == "logout":
        answer = caller.ask("POST", "/auth/logout")
    elif how == "end":
        answer = caller.ask("DELETE", f"/auth/sessions/{caller.session_id}")
    else:
        token = caller.tokens["access_token" if how == "revoke access" else "refresh_token"]
        answer = fortress.ask("POST", "/auth/revoke", data={"token": token})
    assert answer.status_code == 200
    problem(caller.ask("GET", "/auth/me"), 401, "token-revoked")
    problem(caller.ask("POST", "/auth/logout"), 401, "token-revoked")
    expected = 200 if how == "revoke access" else 400
    assert refresh(fortress, caller.tokens["refresh_token"]).status_code == expected
