"""Keys change under load, of either kind and from one to the other, and no request fails: each in one step, two processes."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest

from auth.keys import KeySet, SecretKeys
from auth.passwords import Passwords
from auth.pem_keys import PemKeys
from auth.tokens import TokenIssuer
from records.engine import open_engine
from records.migrate import upgrade
from records.users import add_user
from tests.e2e.callers import Callers
from tests.e2e.running_service import RunningService
from tests.e2e.trained_registry import CATALOG
from tests.e2e.waiting import until
from tests.signing_keys import pem, shared_secret
from tests.tiny_servables import write_tiny

CREDENTIALS = [
    {"username": name, "password": "a plain sentence of mine"} for name in ("ada", "bea", "cleo", "dora")
]
TOKEN_SECONDS, SETTLE_SECONDS, GRACE_SECONDS = 3, 2.5, 9.0
PATIENCE_SECONDS = 30.0
ROW = dict(CATALOG["iris"].examples[0])


@pytest.fixture
def service(tmp_path: Path) -> Iterator[RunningService]:
    """Two workers over the files `jwt-secret-key` and `jwt-signing-key`, of which the second is not there yet."""
    database = f"sqlite:///{tmp_path / 'slipway.db'}"
    upgrade(database)
    write_tiny(CATALOG["iris"], tmp_path / "models" / "iris")
    _create_users(database)
    write(tmp_path / "jwt-secret-key", shared_secret())
    settings = {
        "WORKERS": "2",
        "MODELS": "iris",
        "MODEL_SOURCE": "path",
        "MODEL_PATH": str(tmp_path / "models"),
        "JWT_SECRET_KEY": "",
        "JWT_SECRET_KEY_FILE": str(tmp_path / "jwt-secret-key"),
        "JWT_SIGNING_KEY_FILE": str(tmp_path / "jwt-signing-key"),
        "JWT_ACCESS_TTL_SECONDS": str(TOKEN_SECONDS),
        "JWT_KEY_SETTLE_SECONDS": str(SETTLE_SECONDS),
        "JWT_KEY_GRACE_SECONDS": str(GRACE_SECONDS),
    }
    with RunningService(tmp_path, tracking_uri="sqlite://", database_url=database, **settings) as running:
        until(lambda: len(running.workers) == 2, seconds=PATIENCE_SECONDS, what="two workers")
        token = long_lived(SecretKeys((tmp_path / "jwt-secret-key").read_text(), setting="A"))
        until(lambda: answers(running, token) == {200}, seconds=PATIENCE_SECONDS, what="both of them answer")
        yield running


def _create_users(database: str) -> None:
    engine, passwords = open_engine(database), Passwords()
    for each in CREDENTIALS:
        hashed = passwords.hash(each["password"])
        add_user(engine, username=each["username"], password_hash=hashed, scopes="predict read")
    engine.dispose()


def write(path: Path, text: str) -> None:
    """Beside it and renamed, as the kubelet does."""
    path.with_suffix(".new").write_text(text)
    os.replace(path.with_suffix(".new"), path)


def long_lived(keys: KeySet) -> str:
    """Signed by somebody who has the key, and never expires while this runs: only its key can end it."""
    issuer = TokenIssuer(keys, issuer="slipway", audience="slipway", ttl_seconds=3600, clock=time.time)
    return issuer.issue(subject="grace", scopes=frozenset({"predict"})).access_token


def answers(service: RunningService, token: str, count: int = 6) -> set[int]:
    """The codes of several answers, over new connections: of both workers."""
    headers = {"authorization": f"Bearer {token}"}
    return {
        httpx.post(f"{service.url}/predict/iris", json=ROW, headers=headers, timeout=10).status_code
        for _ in range(count)
    }


def wait_for_logins(callers: Callers, keys: KeySet) -> None:
    """Until a login gives a token of this key."""
    kid = keys.signing_key().kid
    until(lambda: kid in callers.kids, seconds=PATIENCE_SECONDS, what=f"logins are signed by {kid}")


def refused(service: RunningService, keys: KeySet) -> bool:
    return answers(service, long_lived(keys)) == {401}


def test_no_request_fails_while_keys_change_and_old_keys_end_after_their_grace(
    service: RunningService,
) -> None:
    secrets, private = service.folder / "jwt-secret-key", service.folder / "jwt-signing-key"
    first, second = secrets.read_text(), shared_secret()
    oldest: KeySet = SecretKeys(first, setting="A")
    before = oldest
    steps: list[tuple[Path, KeySet, str]] = [
        (secrets, SecretKeys(second, setting="B"), second),
        (private, PemKeys(pem("p-256"), setting="C"), pem("p-256")),
        (private, PemKeys(pem("rsa-2048"), setting="D"), pem("rsa-2048")),
    ]
    with Callers(service.url, CREDENTIALS, "/predict/iris", ROW) as callers:
        wait_for_logins(callers, before)
        for path, keys, text in steps:
            write(path, text)
            wait_for_logins(callers, keys)
            assert answers(service, long_lived(before)) == {200}, "an old key verifies through its grace"
            time.sleep(1)  # tokens of both keys are about when the next change comes
            before = keys
        shown = httpx.get(f"{service.url}/.well-known/jwks.json", timeout=10).json()["keys"]
        assert [key["alg"] for key in shown] == ["RS256", "ES256"]
        for keys in (oldest, steps[1][1]):
            until(partial(refused, service, keys), seconds=PATIENCE_SECONDS, what="an old key is refused")
    assert callers.failures == []
    assert set(callers.answered) == {
        keys.signing_key().kid for keys in (oldest, *(step[1] for step in steps))
    }
    # The shared secret is still in its file: it verifies for as long as it is.
    assert answers(service, long_lived(steps[0][1])) == {200}
    log = service.log_tail(10_000)
    assert log.count('"keys.changed"') >= 2 * len(steps)
    assert first not in log
    assert second not in log
