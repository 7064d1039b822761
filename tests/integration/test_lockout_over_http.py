"""Guessing passwords over HTTP, at two replicas that share nothing but a database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from auth.lockout import FREE_BY_ACCOUNT
from auth.passwords import Passwords
from records.engine import open_engine
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


def test_replicas_count_together_and_tell_nobody_who_exists(replicas: list[FrontService]) -> None:
    one, two = replicas
    assert log_in(two, "ada", PASSWORD, HOME).status_code == 200
    for name in ("ada", "nobody"):
        for number in range(FREE_BY_ACCOUNT):
            assert log_in(replicas[number % 2], name).status_code == 401
    locked = {name: log_in(two, name, PASSWORD) for name in ("ada", "nobody")}
    for answer in locked.values():
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "5")
        assert answer.json()["code"] == "rate-limited"
    told = [{**answer.json(), "request_id": "", "instance": ""} for answer in locked.values()]
    assert told[0] == told[1]
    assert log_in(one, "ada", PASSWORD, HOME).status_code == 200
    assert log_in(one, "bob", PASSWORD).status_code == 200
