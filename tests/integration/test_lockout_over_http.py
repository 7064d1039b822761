"""Guessing passwords over HTTP, at two replicas that share nothing but a database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from auth.lockout import FREE_BY_ACCOUNT
from auth.passwords import Passwords
from records.account_keys import account_key
from records.engine import open_engine
from records.tables import KnownAddress, LoginFailure, LoginSession
from records.users import add_user
from tests.front_service import PASSWORD, FrontService

PROXY_OF_TESTS = "127.0.0.1"
HOME, ABROAD = "192.0.2.7", "203.0.113.9"


@pytest.fixture
def replicas(tmp_path: Path, database_url: str) -> Iterator[list[FrontService]]:
    engine = open_engine(database_url)
    for name in ("ada", "bob"):
        add_user(engine, username=name, password_hash=Passwords().hash(PASSWORD), scopes="predict read")
    engine.dispose()
    made = [
        FrontService(
            tmp_path / name, database_url=database_url, models="iris", trusted_proxies=PROXY_OF_TESTS
        )
        for name in ("one", "two")
    ]
    yield made
    for service in made:
        service.close()


def log_in(
    service: FrontService, name: str, password: str = "wrong horse battery staple", address: str = ABROAD
) -> httpx.Response:
    return service.ask(
        "POST",
        "/login",
        json={"username": name, "password": password},
        headers={"x-forwarded-for": f"{HOME}, {address}"},
    )


@pytest.mark.parametrize("name", ["ada\x00", "x" * 200], ids=range(2))
def test_a_name_that_nobody_can_have_is_a_wrong_one(replicas: list[FrontService], name: str) -> None:
    service = replicas[0]
    assert log_in(service, name).status_code == 401
    assert log_in(service, name).json()["code"] == log_in(service, "nobody").json()["code"]
    secret = {"client_id": name, "client_secret": "slipway_wrong", "grant_type": "client_credentials"}
    assert service.ask("POST", "/auth/token", data=secret).status_code == 401
    password = {"username": name, "password": "wrong horse", "grant_type": "password"}
    assert service.ask("POST", "/auth/token", data=password).status_code == 400
    revoking = {"client_id": name, "client_secret": "slipway_wrong", "token": "x"}
    assert service.ask("POST", "/auth/revoke", data=revoking).status_code == 401


def test_behind_a_proxy_that_nobody_named_a_stranger_does_not_share_the_owners_address(
    tmp_path: Path, database_url: str, replicas: list[FrontService]
) -> None:
    made = FrontService(tmp_path / "three", database_url=database_url, models="iris", trusted_proxies="")
    try:
        assert log_in(made, "ada", PASSWORD, HOME).status_code == 200
        assert log_in(made, "ada").status_code == 401
    finally:
        made.close()
    engine = open_engine(database_url)
    with engine.connect() as connection:
        assert connection.scalars(select(LoginFailure.key)).all() == [account_key("ada")]
        assert connection.scalars(select(KnownAddress.key)).all() == []
        assert connection.scalars(select(LoginSession.address)).all() == [None]
    engine.dispose()


def test_replicas_count_together_and_tell_nobody_who_exists(replicas: list[FrontService]) -> None:
    one, two = replicas
    assert log_in(two, "ada", PASSWORD, HOME).status_code == 200
    locked = {}
    for name in ("ada", "nobody"):
        for number in range(FREE_BY_ACCOUNT):
            assert log_in(replicas[number % 2], name).status_code == 401
        locked[name] = log_in(two, name, PASSWORD)
    for answer in locked.values():
        assert answer.status_code == 429
        assert 1 <= int(answer.headers["retry-after"]) <= 5
        assert answer.json()["code"] == "rate-limited"
    told = [{**answer.json(), "request_id": "", "instance": ""} for answer in locked.values()]
    assert told[0] == told[1]
    assert log_in(one, "ada", PASSWORD, HOME).status_code == 200
    assert log_in(one, "bob", PASSWORD).status_code == 200
