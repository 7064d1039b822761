"""A whole worker to attack: every model served, three users, and something behind it as BentoML is."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from auth.passwords import Passwords
from records.engine import open_engine
from records.users import add_user
from serving.http.app import Inner
from serving.http.docs import DOCS_ASSETS
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
    database = folder / "records.db"
    database.write_bytes(sqlite_template.read_bytes())
    engine = open_engine(f"sqlite:///{database}")
    password_hash = Passwords().hash(PASSWORD)
    for name in USERS:
        add_user(engine, username=name, password_hash=password_hash, scopes="predict read")
    engine.dispose()
    made = FrontService(folder, database_url=f"sqlite:///{database}")
    yield made
    made.close()


@pytest.fixture
def behind(fortress: FrontService) -> Behind:
    return Behind(fortress)
