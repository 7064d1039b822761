"""The migrations and the tables say the same, on both databases, and nothing goes wrong when two start at once."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, inspect, text
from sqlalchemy.exc import OperationalError

from records.engine import open_engine
from records.migrate import downgrade, is_current, upgrade
from records.tables import Base


@pytest.fixture
def empty(empty_database_url: str) -> Iterator[Engine]:
    opened = open_engine(empty_database_url)
    yield opened
    opened.dispose()


def tables(engine: Engine) -> set[str]:
    return set(inspect(engine).get_table_names())


def test_the_migrations_make_exactly_the_tables_of_the_code(engine: Engine) -> None:
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def test_constraints_and_indexes_have_the_names_of_the_code(engine: Engine) -> None:
    found = inspect(engine)
    for table in Base.metadata.tables.values():
        named = {
            index["name"] for index in found.get_indexes(table.name) if "duplicates_constraint" not in index
        }
        assert named == {index.name for index in table.indexes}
        uniques = {each["name"] for each in found.get_unique_constraints(table.name)}
        foreign = {each["name"] for each in found.get_foreign_keys(table.name)}
        primary = found.get_pk_constraint(table.name)["name"]
        assert {*uniques, *foreign, primary} == {constraint.name for constraint in table.constraints}


def test_a_schema_goes_down_and_up_again(empty: Engine, empty_database_url: str) -> None:
    upgrade(empty_database_url)
    assert is_current(empty)
    downgrade(empty_database_url, "base")
    assert tables(empty) == {"alembic_version"}
    assert not is_current(empty)
    upgrade(empty_database_url)
    assert is_current(empty)


def test_a_new_database_is_not_current(empty: Engine) -> None:
    assert not is_current(empty)


def test_a_second_upgrade_changes_nothing(engine: Engine, database_url: str) -> None:
    before = tables(engine)
    upgrade(database_url)
    assert tables(engine) == before


def test_older_code_leaves_the_schema_of_newer_code_alone(engine: Engine, database_url: str) -> None:
    with engine.begin() as connection:
        connection.execute(text("update alembic_version set version_num = '9999'"))
    assert not upgrade(database_url)
    with engine.connect() as connection:
        assert MigrationContext.configure(connection).get_current_heads() == ("9999",)


def test_upgrades_at_once_leave_one_schema(empty: Engine, empty_database_url: str) -> None:
    command = [sys.executable, "-m", "records", "upgrade", "--database-url", empty_database_url]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) for _ in range(3)]
    outputs = [each.communicate()[0].decode() for each in running]
    assert [each.returncode for each in running] == [0, 0, 0], outputs
    assert is_current(empty)


def test_asking_a_database_that_is_away_raises_instead_of_saying_no() -> None:
    away = open_engine("postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(OperationalError):
        is_current(away)
