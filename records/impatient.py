"""PostgreSQL connections that give up on an answer: a server that hangs, or a path to it that swallows answers, ends no TCP
connection, and psycopg would wait for ever.

What was asked may have happened all the same. Whoever asks again must not mind; and what a connection that was given up has
locked, the server lets go of by itself soon after.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from psycopg import Connection
from psycopg.errors import _WaitTimeout

LOOK_SECONDS = 0.1  # between two looks whether somebody has interrupted us


@cache
def impatient(answer_seconds: float) -> type[Connection[Any]]:
    """The class of connections that wait no longer than that for the answer to a statement."""

    class Impatient(Connection[Any]):
        def wait(self, gen: Any, interval: float = LOOK_SECONDS, timeout: float | None = None) -> Any:
            try:
                return super().wait(gen, interval, timeout or answer_seconds)
            except _WaitTimeout:
                self.pgconn.finish()  # whatever still comes would be taken for the answer to the next question
                raise

    return Impatient


def connect_impatiently(answer_seconds: float, parameters: dict[str, Any]) -> Connection[Any]:
    """A new connection, whose transactions the server ends when their client is gone for as long."""
    connection = impatient(answer_seconds).connect(**parameters)
    limit = round(answer_seconds * 1000)
    connection.execute(f"SET statement_timeout = {limit}; SET idle_in_transaction_session_timeout = {limit}")
    connection.commit()
    return connection
