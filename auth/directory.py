"""Users and logins in SQL, behind the ports of `auth.login`.

SQLAlchemy is imported on first use: a process that only verifies tokens never pays for it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from auth.login import Account, LoginSession
from modelkit.errors import IdentityUnavailable

if TYPE_CHECKING:
    from sqlalchemy import Engine


class SqlUserDirectory:
    """Both ports, UserDirectory and Sessions, on one database that is opened by the first login."""

    def __init__(self, database_url: str, *, mounted: Path | None = None) -> None:
        self._database_url, self._mounted = database_url, mounted
        self._opening = threading.Lock()
        self._opened: Engine | None = None

    def find(self, username: str) -> Account | None:
        from records import users

        with _unavailable_when_sql_fails():
            row = users.find_user(self._engine(), username)
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

    def set_password_hash(self, user_id: int, password_hash: str) -> None:
        from records import users

        with _unavailable_when_sql_fails():
            users.set_password_hash(self._engine(), user_id, password_hash)

    def record(self, session: LoginSession) -> None:
        from records import users

        row = users.LoginRow(
            user_id=session.user_id,
            token_id=session.token_id,
            address=session.address,
            created_at=datetime.fromtimestamp(session.created_at, UTC),
            expires_at=datetime.fromtimestamp(session.expires_at, UTC),
        )
        with _unavailable_when_sql_fails():
            users.record_login_session(self._engine(), row)

    def close(self) -> None:
        with self._opening:
            if self._opened is not None:
                self._opened.dispose()
                self._opened = None

    def _engine(self) -> Engine:
        from records.engine import open_engine

        with self._opening:
            if self._opened is None:
                self._opened = open_engine(self._database_url, mounted=self._mounted)
            return self._opened


@contextmanager
def _unavailable_when_sql_fails() -> Iterator[None]:
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except SQLAlchemyError as error:
        raise IdentityUnavailable("users cannot be looked up now") from error
