"""Failed logins, and addresses of logins that did not fail, in SQL, behind the port of `auth.lockout`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from auth.database import Database
from auth.lockout import KNOWN_FOR_SECONDS, Failures

if TYPE_CHECKING:
    from records.login_failures import FailureRow

PRUNE_EVERY_SECONDS = 600.0


class SqlLoginFailures:
    """FailureStore. Now and then a failure also removes what is too old to count."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._pruned_at = 0.0

    def read(self, keys: Sequence[str]) -> Mapping[str, Failures]:
        from records import login_failures

        if not keys:
            return {}
        with self._database.engine() as engine:
            rows = login_failures.read(engine, keys)
        return {row.key: Failures(count=row.failures, last=row.last_failed_at.timestamp()) for row in rows}

    def count(self, keys: Sequence[str], *, now: float, since: float, until: float) -> None:
        from records import known_addresses, login_failures

        with self._database.engine() as engine:
            login_failures.count(engine, keys, now=_moment(now), since=_moment(since), until=_moment(until))
            if abs(now - self._pruned_at) >= PRUNE_EVERY_SECONDS:
                self._pruned_at = now
                login_failures.prune(engine, before=_moment(since))
                known_addresses.prune(engine, before=_moment(now - KNOWN_FOR_SECONDS))

    def replace(self, key: str, old: Failures, new: Failures) -> bool:
        from records import login_failures

        with self._database.engine() as engine:
            return login_failures.replace(engine, _row(key, old), _row(key, new))

    def clear(self, keys: Sequence[str]) -> None:
        from records import login_failures

        with self._database.engine() as engine, engine.begin() as connection:
            login_failures.clear(connection, keys)

    def last_login(self, pair: str) -> float | None:
        from records import known_addresses

        with self._database.engine() as engine:
            found = known_addresses.last_login(engine, pair)
        return None if found is None else found.timestamp()

    def remember(self, pair: str, *, now: float) -> None:
        from records import known_addresses

        with self._database.engine() as engine:
            known_addresses.remember(engine, pair, now=_moment(now))


def _row(key: str, failures: Failures) -> FailureRow:
    from records.login_failures import FailureRow

    return FailureRow(key=key, failures=failures.count, last_failed_at=_moment(failures.last))


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
