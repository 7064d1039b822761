"""How a database is opened: durable, patient, and by the URL that people write."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import Engine, make_url
from sqlalchemy.exc import OperationalError

from records.engine import open_engine
from tests.faults.proxy import FaultyProxy


@pytest.fixture
def lite(tmp_path: Path) -> Engine:
    return open_engine(f"sqlite:///{tmp_path / 'deep' / 'folder' / 'records.db'}")


@pytest.mark.parametrize(
    ("pragma", "value"),
    [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("busy_timeout", 10_000)],
)
def test_sqlite_is_durable_and_patient(lite: Engine, pragma: str, value: object) -> None:
    with lite.connect() as connection:
        assert connection.exec_driver_sql(f"PRAGMA {pragma}").scalar() == value
    lite.dispose()


def test_opening_touches_no_file(tmp_path: Path) -> None:
    open_engine(f"sqlite:///{tmp_path / 'deep' / 'records.db'}")
    assert not (tmp_path / "deep" / "records.db").exists()


def test_a_writer_waits_for_another_writer(lite: Engine) -> None:
    with lite.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE t (x INTEGER)")
    other = sqlite3.connect(str(lite.url.database), isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    release = threading.Timer(0.3, other.execute, args=("COMMIT",))
    release.start()
    with lite.begin() as connection:
        connection.exec_driver_sql("INSERT INTO t VALUES (1)")
    release.join()
    other.close()
    lite.dispose()


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_every_spelling_of_postgresql_means_psycopg(scheme: str) -> None:
    engine = open_engine(f"{scheme}://ada:hidden@db.example/records")
    assert engine.dialect.driver == "psycopg"
    assert "hidden" not in repr(engine)


def test_a_connection_that_postgresql_dropped_is_replaced(empty_postgres_url: str) -> None:
    engine = open_engine(empty_postgres_url)
    with engine.connect() as connection:
        dropped = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
    other = open_engine(empty_postgres_url)
    with other.connect() as connection:
        connection.exec_driver_sql(f"SELECT pg_terminate_backend({dropped})")
    other.dispose()
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT pg_backend_pid()").scalar() != dropped
    engine.dispose()


def test_an_answer_that_does_not_come_is_given_up_and_its_transaction_ends(
    empty_postgres_url: str,
) -> None:
    (folder,) = parse_qs(urlsplit(empty_postgres_url).query)["host"]
    with FaultyProxy(f"{folder}/.s.PGSQL.5432") as proxy:
        through = make_url(empty_postgres_url).set(host="127.0.0.1", port=proxy.port, query={})
        engine = open_engine(through.render_as_string(hide_password=False), answer_seconds=1)
        with engine.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE t (x INTEGER PRIMARY KEY)")
        with engine.connect() as connection:
            connection.exec_driver_sql("INSERT INTO t VALUES (1)")
            proxy.blackhole()
            with pytest.raises(OperationalError):
                connection.commit()
        proxy.passes()
        with engine.begin() as connection:  # waits until the server has let go of the key
            connection.exec_driver_sql("INSERT INTO t VALUES (1)")
        engine.dispose()


def test_a_statement_may_take_as_long_as_a_command_lets_it(empty_postgres_url: str) -> None:
    engine = open_engine(empty_postgres_url, answer_seconds=None)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SHOW statement_timeout").scalar() == "0"
    engine.dispose()


def test_nobody_listening_is_an_operational_error() -> None:
    engine = open_engine("postgresql://ada:hidden@127.0.0.1:1/records")
    with pytest.raises(OperationalError) as refused, engine.connect():
        pass
    assert "hidden" not in str(refused.value)
