"""One alias move at a time, wherever it is started: the registry has no compare-and-set, so the ledger's database is the lock."""

from __future__ import annotations

import fcntl
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, func, select


@contextmanager
def one_move_at_a_time(ledger: Engine, model: str) -> Iterator[None]:
    """Waits for its turn. A process that dies gives the lock back."""
    if ledger.dialect.name == "postgresql":
        with ledger.connect() as connection:
            connection.execute(
                select(func.pg_advisory_xact_lock(zlib.crc32(f"alias move: {model}".encode())))
            )
            yield
        return
    beside = Path(f"{ledger.url.database}.{model}.lock")
    with beside.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
