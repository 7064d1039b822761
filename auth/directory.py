"""Users in SQL, behind the port of `auth.login`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auth.database import Database
from auth.login import Account

if TYPE_CHECKING:
    from records.users import UserRow


class SqlUserDirectory:
    """Implements `UserDirectory`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, username: str) -> Account | None:
        from records import users

        with self._database.engine() as engine:
            return _account(users.find_user(engine, username))

    def set_password_hash(self, user_id: int, password_hash: str, *, instead_of: str) -> bool:
        from records import users

        with self._database.engine() as engine:
            return users.set_password_hash(engine, user_id, password_hash, instead_of=instead_of)


def _account(row: UserRow | None) -> Account | None:
    if row is None:
        return None
    return Account(
        user_id=row.id,
        username=row.username,
        password_hash=row.password_hash,
        scopes=row.scopes,
        disabled=row.disabled,
        kind=row.kind,
    )
