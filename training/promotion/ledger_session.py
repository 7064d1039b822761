"""The databases of ledger and prediction log for the length of one command, and their failures in one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from records.engine import open_engine
from records.migrate import upgrade
from training.errors import RecordsFailed


@contextmanager
def open_ledger(database_url: str) -> Iterator[Engine]:
    """The ledger's database at the current schema."""
    with _said(f"the ledger's database {_named(database_url)} does not answer"):
        upgrade(database_url)
        engine = open_engine(database_url)
        try:
            yield engine
        finally:
            engine.dispose()


@contextmanager
def open_log(database_url: str | None) -> Iterator[Engine | None]:
    """A prediction log in a database of its own, which is only read; None where there is none."""
    if database_url is None:
        yield None
        return
    engine = open_engine(database_url)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def said_of_the_log() -> Iterator[None]:
    """The way out is named, because a broken log must not keep a broken model in production."""
    with _said(
        "the prediction log cannot be read for the replay (--without-replay does without, on the record)"
    ):
        yield


@contextmanager
def _said(what: str) -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        cause = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        raise RecordsFailed(f"{what}: {cause}") from error


def _named(database_url: str) -> str:
    try:
        return make_url(database_url).render_as_string(hide_password=True)
    except ArgumentError:
        return "DATABASE_URL"
