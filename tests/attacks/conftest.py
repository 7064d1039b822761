"""A whole worker to attack: every model served, three users, and something behind it as BentoML is."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from auth.jwk_sets import jwk_set_of
from auth.passwords import Passwords
from auth.policy import read_policy
from records.engine import open_engine
from records.users import add_user
from serving.http.app import Inner
from serving.http.docs import DOCS_ASSETS
from serving.identity_folder import IdentityFolder
from tests.attacks.corpus.mints import AUDIENCE, ISSUER, POLICY, published
from tests.front_service import PASSWORD, FrontService

USERS = ("ada", "bob", "eve")
INNER_PAGES = frozenset({"/", "/schema.json", "/docs.json"}) | DOCS_ASSETS


class Behind:
    """The app behind the front app; it remembers what got through to it."""

    def __init__(self, service: FrontService) -> None:
        self.asked: list[str] = []
        check = partial(service.worker.native.checked_row, name="iris")
        service.worker.front.pass_on(Inner(self.app, INNER_PAGES, {"/predict_iris": check}))

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked.append(scope["path"])
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})


@pytest.fixture(scope="session")
def fortress(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[FrontService]:
    folder = tmp_path_factory.mktemp("fortress")
    database, policy = folder / "records.db", folder / "policy.toml"
    database.write_bytes(sqlite_template.read_bytes())
    engine = open_engine(f"sqlite:///{database}")
    password_hash = Passwords().hash(PASSWORD)
    for name in USERS:
        add_user(engine, username=name, password_hash=password_hash, scopes="predict read")
    engine.dispose()
    policy.write_text(POLICY, encoding="utf-8")
    fetch_keys(folder / "store", policy)
    made = FrontService(
        folder,
        database_url=f"sqlite:///{database}",
        auth_policy_file=policy,
        jwt_audience=AUDIENCE,
        trusted_proxies="127.0.0.1",
    )
    assert made.worker.identity.unready() == ""
    yield made
    made.close()


def fetch_keys(store: Path, policy: Path) -> None:
    """What the agent does."""
    for issuer in read_policy(policy, audience=AUDIENCE, own_issuer=ISSUER).issuers:
        keys = jwk_set_of({"keys": published(issuer.name)})
        IdentityFolder(store).write_keys(issuer, keys, fetched_at=time.time())


@pytest.fixture
def behind(fortress: FrontService) -> Behind:
    return Behind(fortress)
