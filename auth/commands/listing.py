"""Who there is, and what has been done to them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from auth.commands.administration import Administration
from auth.commands.told import Told, table
from auth.lockout import Failures, seconds_to_wait
from records import identity_events, login_failures, user_list
from records.account_keys import account_key

ASKED_AT_ONCE = 500


def list_users(admin: Administration) -> Told:
    users, now = user_list.list_users(admin.engine), admin.clock().timestamp()
    waits = _waits(admin, [account_key(user.username) for user in users], now)
    rows = [
        {
            "name": user.username,
            "kind": user.kind,
            "scopes": user.scopes,
            "disabled": user.disabled_at is not None,
            "created": user.created_at,
            "last_login": user.last_login_at,
            "locked_seconds": waits.get(account_key(user.username), 0),
        }
        for user in users
    ]
    return table(rows, nothing="there are no users")


def _waits(admin: Administration, keys: Sequence[str], now: float) -> dict[str, int]:
    """For strangers' addresses; at one of his own a user may still log in."""
    rows = [
        row
        for start in range(0, len(keys), ASKED_AT_ONCE)
        for row in login_failures.read(admin.engine, keys[start : start + ASKED_AT_ONCE])
    ]
    failures = {row.key: Failures(count=row.failures, last=row.last_failed_at.timestamp()) for row in rows}
    waits = {key: math.ceil(seconds_to_wait(key, each, now)) for key, each in failures.items()}
    return {key: wait for key, wait in waits.items() if wait > 0}


def list_events(admin: Administration, name: str | None, limit: int) -> Told:
    rows = [
        {"at": row.at, "event": row.event, "subject": row.subject, "actor": row.actor, "facts": row.facts}
        for row in identity_events.latest(admin.engine, limit=limit, subject=name)
    ]
    return table(rows, nothing="nothing has been done yet")
