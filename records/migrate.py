"""Brings a database to the current schema; safe to run from several processes at once."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from records.engine import open_engine

MIGRATIONS = Path(__file__).parent / "migrations"
ADVISORY_LOCK = 5_107_340_131  # any number; all our migrations take this one


def upgrade(url: str) -> bool:
    """To the newest revision. Does nothing on a database that is there already.

    False where the database is at a revision that this code does not know: newer code has been here, and was rolled
    back. What it added does not stand in the way of older code, so there is nothing to do.
    """
    engine = open_engine(url, answer_seconds=None)
    try:
        with engine.begin() as connection:
            _wait_for_turn(connection)
            if not _applied(connection) <= _known():
                return False
            command.upgrade(configuration(connection), "head")
            return True
    finally:
        engine.dispose()


def downgrade(url: str, revision: str) -> None:
    """Back to `revision`; `base` drops every table and what is in it."""
    engine = open_engine(url, answer_seconds=None)
    try:
        with engine.begin() as connection:
            _wait_for_turn(connection)
            command.downgrade(configuration(connection), revision)
    finally:
        engine.dispose()


def is_current(engine: Engine) -> bool:
    """Whether the schema is the one this code was written for. Raises OperationalError when the database is away."""
    with engine.connect() as connection:
        return _applied(connection) == _heads()


def configuration(connection: Connection | None = None) -> Config:
    """Alembic's configuration, made here instead of in an ini file; `connection` is already in a transaction."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _applied(connection: Connection) -> set[str]:
    return set(MigrationContext.configure(connection).get_current_heads())


@cache
def _heads() -> set[str]:
    return set(ScriptDirectory.from_config(configuration()).get_heads())


@cache
def _known() -> set[str]:
    return {script.revision for script in ScriptDirectory.from_config(configuration()).walk_revisions()}


def _wait_for_turn(connection: Connection) -> None:
    """The second of two migrations waits here, and then finds nothing left to do."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({ADVISORY_LOCK})")
