"""Who there is, and what has been done to them."""

from __future__ import annotations

from auth.commands.administration import Administration
from auth.commands.told import Told, table
from records import identity_events, user_list


def list_users(admin: Administration) -> Told:
    rows = [
        {
            "name": user.username,
            "kind": user.kind,
            "scopes": user.scopes,
            "disabled": user.disabled_at is not None,
            "created": user.created_at,
            "last_login": user.last_login_at,
        }
        for user in user_list.list_users(admin.engine)
    ]
    return table(rows, nothing="there are no users")


def list_events(admin: Administration, name: str | None, limit: int) -> Told:
    rows = [
        {"at": row.at, "event": row.event, "subject": row.subject, "actor": row.actor, "facts": row.facts}
        for row in identity_events.latest(admin.engine, limit=limit, subject=name)
    ]
    return table(rows, nothing="nothing has been done yet")
