"""Where in a database a text is to be found: every column of every table, as text."""

from __future__ import annotations

from sqlalchemy import Engine, Text, cast, func, inspect, select, table
from sqlalchemy import column as named


def places_of(engine: Engine, *needles: str) -> list[str]:
    """`table.column` of each that holds one of the needles, anywhere in a value."""
    found = []
    with engine.connect() as connection:
        for name in inspect(engine).get_table_names():
            for column in inspect(engine).get_columns(name):
                held = cast(named(column["name"]), Text)
                for needle in needles:
                    asked = select(func.count()).select_from(table(name)).where(held.contains(needle))
                    if connection.scalar(asked):
                        found.append(f"{name}.{column['name']}: {needle}")
    return found
