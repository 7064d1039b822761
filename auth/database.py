"""The database of users, sessions and revocations, as `auth` opens it: on first use, and never for verifying a token.

SQLAlchemy is imported here and nowhere else in `auth`, inside of functions.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from modelkit.errors import IdentityUnavailable

if TYPE_CHECKING:
    from sqlalchemy import Engine


class Database:
    """One engine for all who share this object. `mounted` is the file that the URL came from, if any."""

    def __init__(self, url: str, *, mounted: Path | None = None) -> None:
        self._url, self._mounted = url, mounted
        self._opening = threading.Lock()
        self._opened: Engine | None = None

    @contextmanager
    def engine(self) -> Iterator[Engine]:
        """For the block that asks SQL, whose failures become IdentityUnavailable."""
        from sqlalchemy.exc import SQLAlchemyError

        try:
            yield self._engine()
        except SQLAlchemyError as error:
            raise IdentityUnavailable from error

    def close(self) -> None:
        with self._opening:
            if self._opened is not None:
                self._opened.dispose()
                self._opened = None

    def _engine(self) -> Engine:
        from records.engine import open_engine

        with self._opening:
            if self._opened is None:
                self._opened = open_engine(self._url, mounted=self._mounted)
            return self._opened
