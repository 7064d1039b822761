"""Guessing passwords (T11): answers tell nothing, guesses run out, owners get in, and hashing crowds out nobody else."""

from __future__ import annotations

import asyncio
from collections import Counter

import httpx

from auth.lockout import FREE_BY_ACCOUNT
from auth.passwords import Passwords
from records.engine import open_engine
from records.users import add_user
from serving.http.slow_lane import SLOW_QUEUE, SLOW_THREADS
from tests.attacks.callers import but_for_its_id, log_in
from tests.auth_commands import disable
from tests.front_service import FLOWER, PASSWORD, FrontService
from tests.problem_schema import problem


def guess(service: FrontService, name: str, *, password: str = "wrong", address: str) -> httpx.Response:
    body = {"username": name, "password": password}
    return service.ask("POST", "/login", json=body, headers={"x-forwarded-for": address})


def new_user(service: FrontService, name: str, *, disabled: bool = False) -> None:
    engine = open_engine(service.settings.database_url.get_secret_value())
    add_user(engine, username=name, password_hash=Passwords().hash(PASSWORD), scopes="predict")
    if disabled:
        disable(engine, name)
    engine.dispose()


def test_an_answer_does_not_tell_who_there_is(fortress: FrontService) -> None:
    new_user(fortress, "retired", disabled=True)
    new_user(fortress, "present")
    answers = [
        guess(fortress, "present", address="198.51.100.1"),
        guess(fortress, "nobody", address="198.51.100.2"),
        guess(fortress, "retired", password=PASSWORD, address="198.51.100.3"),
        guess(fortress, "no name at all", address="198.51.100.4"),
        guess(fortress, "present' OR '1'='1", address="198.51.100.5"),
    ]
    problem(answers[0], 401, "wrong-credentials")
    assert len({str(but_for_its_id(answer)) for answer in answers}) == 1


def test_guesses_run_out_whether_there_is_such_a_user_or_not(fortress: FrontService) -> None:
    new_user(fortress, "target")
    seen = {}
    for name, network in (("target", "203.0.113"), ("figment", "203.0.114")):
        codes = [guess(fortress, name, address=f"{network}.{turn}").status_code for turn in range(1, 9)]
        locked = guess(fortress, name, password=PASSWORD, address=f"{network}.99")
        problem(locked, 429, "rate-limited")
        assert int(locked.headers["retry-after"]) >= 1
        seen[name] = codes
    assert seen["target"] == seen["figment"] == [401] * FREE_BY_ACCOUNT + [429] * (8 - FREE_BY_ACCOUNT)


def test_strangers_do_not_lock_an_owner_out(fortress: FrontService) -> None:
    new_user(fortress, "owner")
    assert log_in(fortress, "owner", address="192.0.2.77").is_let_in()
    for turn in range(1, 9):
        guess(fortress, "owner", address=f"198.18.0.{turn}")
    assert guess(fortress, "owner", password=PASSWORD, address="198.18.0.99").status_code == 429
    assert log_in(fortress, "owner", address="192.0.2.77").is_let_in()


def test_no_header_of_a_caller_makes_every_guess_come_from_elsewhere(fortress: FrontService) -> None:
    """What stands to the left of the trusted proxy's entry is the caller's own writing."""
    new_user(fortress, "sprayed")
    codes = [
        guess(fortress, f"name-{turn}", address=f"10.9.8.{turn}, 198.19.0.1").status_code
        for turn in range(40)
    ]
    assert Counter(codes)[401] <= 30
    assert codes[-1] == 429


def test_a_crowd_of_logins_is_bounded_and_whoever_is_in_goes_on(fortress: FrontService) -> None:
    new_user(fortress, "bystander")
    tokens = log_in(fortress, "bystander", address="192.0.2.78").tokens
    bearer = {"authorization": f"Bearer {tokens['access_token']}"}

    async def crowd() -> tuple[Counter[int], list[int]]:
        async def knock(turn: int) -> int:
            body = {"username": f"crowd-{turn}", "password": "wrong"}
            headers = {"x-forwarded-for": f"198.20.{turn}.1"}
            return (await fortress.client.post("/login", json=body, headers=headers)).status_code

        logins = [asyncio.create_task(knock(turn)) for turn in range(60)]
        await asyncio.sleep(0)
        prediction = await fortress.client.post("/predict/iris", json=FLOWER, headers=bearer)
        refreshed = await fortress.client.post(
            "/auth/refresh", json={"refresh_token": tokens["refresh_token"]}
        )
        sessions = await fortress.client.get("/auth/sessions", headers=bearer)
        answered = [answer.status_code for answer in (prediction, refreshed, sessions)]
        assert not all(login.done() for login in logins)
        return Counter([await login for login in logins]), answered

    codes, answered = fortress.runner.run(crowd())
    assert answered == [200] * 3
    assert set(codes) == {401, 503}
    assert codes[401] <= SLOW_THREADS + SLOW_QUEUE
