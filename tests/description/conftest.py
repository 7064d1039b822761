"""A worker with one user and one client, shared by the tests that hold the API's description against it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from schemathesis.pytest.plugin import SchemathesisFunction

from auth.passwords import Passwords
from records.engine import open_engine
from records.users import add_user
from tests.front_service import PASSWORD, FrontService


def pytest_itemcollected(item: pytest.Item) -> None:
    """Operations share a function; where files are dealt to processes, tests of one id would be taken for one test."""
    if isinstance(item, SchemathesisFunction):
        item._id = item.id.with_params(item.operation_label)


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[FrontService]:
    """Every model of the catalog served, and one user, ada."""
    folder = tmp_path_factory.mktemp("described")
    database = folder / "records.db"
    database.write_bytes(sqlite_template.read_bytes())
    engine = open_engine(f"sqlite:///{database}")
    add_user(engine, username="ada", password_hash=Passwords().hash(PASSWORD), scopes="predict read feedback")
    engine.dispose()
    # A busy machine is no fault of the description.
    made = FrontService(
        folder,
        database_url=f"sqlite:///{database}",
        request_timeout_seconds=60.0,
        explain_evaluations=1024,  # coarse explanations answer the same shapes
    )
    yield made
    made.close()
