"""The ledger's database for the length of one command, at the current schema."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine

from records.engine import open_engine
from records.migrate import upgrade


@contextmanager
def open_ledger(database_url: str) -> Iterator[Engine]:
    upgrade(database_url)
    engine = open_engine(database_url)
    try:
        yield engine
    finally:
        engine.dispose()
