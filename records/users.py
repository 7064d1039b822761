"""Users and their logins, as rows; what a password or a token is, `auth` knows."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, Engine, Row, insert, select, update
from sqlalchemy.exc import IntegrityError

from records.tables import User

_COLUMNS = (User.id, User.username, User.password_hash, User.scopes, User.disabled_at, User.kind)


class UserExists(Exception):
    """There is a user of this name already."""


class NoSuchUser(Exception):
    """There is no user of this name."""


@dataclass(frozen=True, kw_only=True)
class UserRow:
    """`scopes` is space-separated, as in a token."""

    id: int
    username: str
    password_hash: str = field(repr=False)
    scopes: str
    disabled: bool
    kind: str = "person"


def find_user(engine: Engine, username: str) -> UserRow | None:
    with engine.connect() as connection:
        row = connection.execute(select(*_COLUMNS).where(User.username == username)).one_or_none()
        return None if row is None else _user(row)


def add_user(
    engine: Engine, *, username: str, password_hash: str, scopes: str, kind: str = "person"
) -> UserRow:
    """Raises UserExists."""
    with engine.begin() as connection:
        return insert_user(
            connection, username=username, password_hash=password_hash, scopes=scopes, kind=kind
        )


def insert_user(
    connection: Connection, *, username: str, password_hash: str, scopes: str, kind: str
) -> UserRow:
    """In the caller's transaction, which is over when this raises UserExists."""
    values = {"username": username, "password_hash": password_hash, "scopes": scopes, "kind": kind}
    try:
        user_id = connection.execute(insert(User).values(**values).returning(User.id)).scalar_one()
    except IntegrityError as error:
        raise UserExists(username) from error
    return UserRow(id=user_id, disabled=False, **values)


def lock_user(connection: Connection, username: str) -> UserRow:
    """Nobody else changes the user until the transaction ends. Raises NoSuchUser."""
    found = update(User).where(User.username == username).values(username=User.username)
    row = connection.execute(found.returning(*_COLUMNS)).one_or_none()
    if row is None:
        raise NoSuchUser(username)
    return _user(row)


def change_user(connection: Connection, user_id: int, **values: str | datetime | None) -> None:
    """Sets columns of a user that is locked."""
    connection.execute(update(User).where(User.id == user_id).values(**values))


def set_password_hash(engine: Engine, user_id: int, password_hash: str, *, instead_of: str) -> bool:
    """False, and nothing changes, where another hash than `instead_of` is kept by now."""
    same = (User.id == user_id, User.password_hash == instead_of)
    with engine.begin() as connection:
        changed = connection.execute(update(User).where(*same).values(password_hash=password_hash))
    return changed.rowcount > 0


def _user(row: Row[int, str, str, str, datetime | None, str]) -> UserRow:
    return UserRow(
        id=row.id,
        username=row.username,
        password_hash=row.password_hash,
        scopes=row.scopes,
        disabled=row.disabled_at is not None,
        kind=row.kind,
    )
