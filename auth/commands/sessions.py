"""Sessions and tokens: what is open, and how it ends before its time."""

from __future__ import annotations

from auth.commands.administration import Administration
from auth.commands.told import Told, table
from auth.revocations import SUBJECT, TOKEN
from records import users
from records.open_sessions import open_sessions

MAX_VALUE = 512


def list_sessions(admin: Administration, name: str | None) -> Told:
    if name is not None and users.find_user(admin.engine, name) is None:
        raise users.NoSuchUser(name)
    rows = [
        {
            "session": row.session_id,
            "name": row.username,
            "from": row.address,
            "since": row.created_at,
            "last_used": row.last_used_at,
            "until": row.expires_at,
        }
        for row in open_sessions(admin.engine, now=admin.clock(), username=name)
    ]
    return table(rows, nothing="nobody is logged in" if name is None else f"{name} is not logged in")


def end(admin: Administration, name: str, session_id: str | None) -> Told:
    with admin.changing(name) as change:
        ended = change.end_sessions(session_id)
        if session_id is not None and not ended:
            raise ValueError(f"{name} has no open session {session_id}")
        if session_id is None:
            change.revoke_tokens()
        change.write_down("sessions.ended", ended_sessions=ended, session=session_id or "all")
    return Told(f"{ended} sessions of {name} ended", {"name": name, "ended_sessions": ended})


def revoke(admin: Administration, *, token_id: str | None, subject: str | None) -> Told:
    """A token by its `jti`, or all that a caller has been given, also a caller of another issuer; a user of ours has no
    session left, either.
    """
    kind, value = (TOKEN, token_id) if token_id is not None else (SUBJECT, subject)
    if not value or len(value) > MAX_VALUE or not value.isprintable():
        raise ValueError(f"an id or a subject has 1 to {MAX_VALUE} printable characters")
    with admin.engine.begin() as connection:
        ended = admin.end_sessions_of(connection, value) if kind == SUBJECT else 0
        admin.revoke(connection, kind, value)
        admin.write_down(connection, f"{kind}.revoked", value)
    what = "the token is" if kind == TOKEN else f"tokens of {value} that were issued before now are"
    sessions_too = f", and {ended} sessions ended" if ended else ""
    return Told(f"{what} refused within two seconds{sessions_too}", {kind: value, "ended_sessions": ended})
