"""Features of entities in SQL: a table per view, and a row that says which set of rows it holds.

The tables belong to whoever materialises them, so they are no part of the migrations. A set is replaced in one
transaction with its version: who reads the same version before and after the rows has read that set.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Double,
    Engine,
    Integer,
    MetaData,
    Table,
    Text,
    inspect,
    select,
    text,
)

ROWS_PER_READ = 20_000
VERSIONS = Table(
    "feature_versions",
    MetaData(),
    Column("view", Text, primary_key=True),
    Column("version", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("written_at", Double, nullable=False),
)


def feature_table(view: str, key: str, columns: Sequence[str], *, suffix: str = "") -> Table:
    """The table of a view, or the one beside it that a new set is written to."""
    numbers = [Column(name, Double) for name in columns]
    name = f"features_{view.replace('-', '_')}{suffix}"
    return Table(name, MetaData(), Column(key, Text, primary_key=True), *numbers)


def read_version(engine: Engine, view: str) -> Any | None:
    """The row of `VERSIONS`; None where nothing was materialised."""
    if not inspect(engine).has_table(VERSIONS.name):
        return None
    with engine.connect() as connection:
        return connection.execute(select(VERSIONS).where(VERSIONS.c.view == view)).first()


def columns_there(engine: Engine, table: Table) -> list[str]:
    return [column["name"] for column in inspect(engine).get_columns(table.name)]


def stream(engine: Engine, table: Table) -> Iterator[Sequence[Any]]:
    """Blocks of rows, never all of them in memory."""
    with engine.connect().execution_options(stream_results=True, yield_per=ROWS_PER_READ) as connection:
        yield from connection.execute(select(table)).partitions()


def replace(
    engine: Engine,
    tables: tuple[Table, Table],
    blocks: Iterable[list[dict[str, Any]]],
    version: dict[str, Any],
) -> None:
    """Writes a new set beside the old one (`tables`: the one to replace, the one beside), and swaps them, all or nothing."""
    current, beside = tables
    with engine.connect() as connection:
        _begin(connection)
        VERSIONS.create(connection, checkfirst=True)
        beside.drop(connection, checkfirst=True)
        beside.create(connection)
        for block in blocks:
            connection.execute(beside.insert(), block)
        current.drop(connection, checkfirst=True)
        quoted = connection.dialect.identifier_preparer.quote
        connection.execute(text(f"ALTER TABLE {quoted(beside.name)} RENAME TO {quoted(current.name)}"))
        connection.execute(VERSIONS.delete().where(VERSIONS.c.view == version["view"]))
        connection.execute(VERSIONS.insert().values(version))
        connection.commit()


def _begin(connection: Connection) -> None:
    """SQLite's driver opens no transaction for statements that make tables."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
