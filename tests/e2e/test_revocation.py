"""Two replicas over one PostgreSQL and one Redis: what is revoked at one is refused by every worker of the other.

The bound here is generous, because machines of tests are slow; decision 0024 has what was measured.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from auth.client_secrets import secret_hash
from auth.passwords import Passwords
from modelkit.definition import load_catalog
from records.engine import open_engine
from records.migrate import upgrade
from records.users import add_user
from tests.architecture.source_tree import ROOT
from tests.e2e.running_service import RunningService
from tests.e2e.stoppable_postgres import StoppablePostgres
from tests.e2e.waiting import until
from tests.redis_server import RedisServer
from tests.tiny_servables import write_tiny

PASSWORD = "a plain sentence of mine"
BOUND_SECONDS = 15.0
QUIET_SECONDS = 1.0
WORKERS = 2


class Fleet:
    """`here` is where users do things, `there` is where it must be felt."""

    def __init__(
        self, here: RunningService, there: RunningService, postgres: StoppablePostgres, redis: RedisServer
    ) -> None:
        self.here, self.there, self.postgres, self.redis = here, there, postgres, redis

    def log_in(self) -> dict[str, Any]:
        credentials = {"username": "ada", "password": PASSWORD}
        response = httpx.post(f"{self.here.url}/login", json=credentials, timeout=10).raise_for_status()
        tokens: dict[str, Any] = response.json()
        assert status(self.there, tokens) == 200
        return tokens

    def log_out(self, tokens: dict[str, Any]) -> int:
        url, headers = f"{self.here.url}/auth/logout", bearer(tokens)
        return httpx.post(url, headers=headers, timeout=30).status_code

    def felt_there(self, tokens: dict[str, Any]) -> float:
        """Seconds until the last time that a worker there accepted the token; none did for a while after that."""
        start = last = time.monotonic()
        while time.monotonic() < last + QUIET_SECONDS:
            if status(self.there, tokens) == 200:
                last = time.monotonic()
            assert last < start + BOUND_SECONDS, "still accepted"
        return last - start


def bearer(tokens: dict[str, Any]) -> dict[str, str]:
    return {"authorization": f"Bearer {tokens['access_token']}"}


def status(service: RunningService, tokens: dict[str, Any]) -> int:
    """Over a new connection, so that any of the workers may answer."""
    return httpx.get(f"{service.url}/auth/me", headers=bearer(tokens), timeout=10).status_code


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    folder, postgres, redis = tmp_path_factory.mktemp("fleet"), StoppablePostgres(), RedisServer()
    write_tiny(load_catalog()["iris"], folder / "baked" / "iris")
    upgrade(postgres.url)
    engine, passwords = open_engine(postgres.url), Passwords()
    add_user(engine, username="ada", password_hash=passwords.hash(PASSWORD), scopes="predict read")
    add_user(engine, username="shop", password_hash=secret_hash(PASSWORD), scopes="predict", kind="client")
    engine.dispose()
    redis.start()
    settings = {
        "MODELS": "iris",
        "MODEL_SOURCE": "path",
        "MODEL_PATH": str(folder / "baked"),
        "REDIS_URL": redis.url,
    }
    with ExitStack() as running:
        running.callback(redis.stop)
        here = RunningService(replica(folder, "here"), **addresses(postgres), **settings)
        there = RunningService(
            replica(folder, "there"), **addresses(postgres), WORKERS=str(WORKERS), **settings
        )
        here.start()
        running.enter_context(there)
        running.enter_context(Started(here))
        until(lambda: len(there.workers) == WORKERS, seconds=30, what="all workers run")
        yield Fleet(here, there, postgres, redis)


class Started:
    """A service that was started before, so that two start at the same time."""

    def __init__(self, service: RunningService) -> None:
        self._service = service

    def __enter__(self) -> None:
        self._service.wait_until_ready()

    def __exit__(self, *error: Any) -> None:
        self._service.__exit__(*error)


def replica(folder: Path, name: str) -> Path:
    path = folder / name
    path.mkdir()
    return path


def addresses(postgres: StoppablePostgres) -> dict[str, str]:
    return {"tracking_uri": "http://127.0.0.1:9", "database_url": postgres.url}


def test_a_logout_is_felt_by_every_worker_of_the_other_replica(fleet: Fleet) -> None:
    tokens = fleet.log_in()
    assert fleet.log_out(tokens) == 200
    assert status(fleet.here, tokens) == 401
    fleet.felt_there(tokens)


def test_it_is_felt_without_redis_too_and_after_redis_has_lost_its_memory(fleet: Fleet) -> None:
    before = fleet.log_in()
    assert fleet.log_out(before) == 200
    fleet.redis.stop()
    tokens = fleet.log_in()
    assert fleet.log_out(tokens) == 200
    fleet.felt_there(tokens)
    fleet.redis.start()
    again = fleet.log_in()
    assert fleet.log_out(again) == 200
    fleet.felt_there(again)
    assert {status(fleet.there, each) for each in (before, tokens, again) for _ in range(5)} == {401}


def test_a_logout_that_sql_cannot_take_must_be_repeated_and_is_felt_nevertheless(fleet: Fleet) -> None:
    tokens = fleet.log_in()
    fleet.postgres.stop()
    try:
        assert fleet.log_out(tokens) == 503
        assert status(fleet.here, tokens) == 401
        fleet.felt_there(tokens)
    finally:
        fleet.postgres.start()
    until(lambda: fleet.log_in(), seconds=30, what="PostgreSQL answers again")
    assert status(fleet.there, tokens) == 401


def test_a_new_agent_goes_on_where_the_killed_one_was(fleet: Fleet) -> None:
    known, tokens = fleet.log_in(), fleet.log_in()
    assert fleet.log_out(known) == 200
    fleet.felt_there(known)
    fleet.there.kill(fleet.there.wait_for_agent())
    assert fleet.log_out(tokens) == 200
    assert status(fleet.there, known) == 401
    fleet.felt_there(tokens)
    assert status(fleet.there, known) == 401


def test_a_reused_refresh_token_ends_the_session_everywhere(fleet: Fleet) -> None:
    tokens = fleet.log_in()
    body = {"refresh_token": tokens["refresh_token"]}
    fresh = httpx.post(f"{fleet.there.url}/auth/refresh", json=body, timeout=10).raise_for_status().json()
    assert httpx.post(f"{fleet.here.url}/auth/refresh", json=body, timeout=10).status_code == 400
    assert status(fleet.here, fresh) == 401
    fleet.felt_there(fresh)


def test_a_real_oauth_library_gets_along_with_us(fleet: Fleet) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "OAUTHLIB_INSECURE_TRANSPORT": "1",
        "OAUTHLIB_RELAX_TOKEN_SCOPE": "1",
    }
    command = [sys.executable, "-m", "tests.oauth_client", fleet.here.url, "ada", PASSWORD, "shop", PASSWORD]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    got = json.loads(done.stdout)
    assert (got["before"]["subject"], got["before"]["scopes"]) == ("ada", ["predict", "read"])
    assert got["after"]["scopes"] == ["predict:iris"]
    assert got["after"]["session_id"] == got["before"]["session_id"]
    assert (got["machine"]["subject"], got["machine"]["scopes"]) == ("shop", ["predict"])
    assert not got["machine_has_refresh_token"]
    assert got["refusals"] == ["invalid_grant", "invalid_client", "invalid_scope"]
