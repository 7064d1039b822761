"""One alias move, and one retraining of a model, at a time, wherever it is started.

The registry has no compare-and-set, so the ledger's database is the lock.
"""

from __future__ import annotations

import fcntl
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, func, select

from training.errors import RetrainingRuns


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


@contextmanager
def one_retraining_at_a_time(ledger: Engine, model: str) -> Iterator[None]:
    """Raises RetrainingRuns instead of waiting: the other one is doing what this one would do."""
    busy = RetrainingRuns(f"another retraining of {model} is at work; nothing was done")
    if ledger.dialect.name == "postgresql":
        key = zlib.crc32(f"retraining: {model}".encode())
        # Held by the connection, not by a transaction that would stay open for minutes.
        with ledger.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            if not connection.scalar(select(func.pg_try_advisory_lock(key))):
                raise busy
            try:
                yield
            finally:
                connection.execute(select(func.pg_advisory_unlock(key)))
        return
    with Path(f"{ledger.url.database}.{model}.retraining.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise busy from error
        yield
