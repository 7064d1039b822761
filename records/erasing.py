"""Erases a person: everything logged about them goes on without them, and whoever counts rows counts the same.

First it is written down who is erased, so that whatever still arrives is erased as it comes; then rows change in batches, a
transaction each. Everything may be done again: an erasure that was interrupted is finished by repeating it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, Text, cast, delete, func, select, update

from records import identity_events, sessions, users
from records.account_keys import account_key, pair_prefix
from records.columns import utc_now
from records.erasures import SUBJECT, Person, as_text, pseudonym, write_down
from records.identity_events import EventRow
from records.tables import (
    Feedback,
    IdentityEvent,
    KnownAddress,
    LoginFailure,
    LoginSession,
    Prediction,
    RefreshToken,
    Revocation,
    User,
)
from records.withheld import ERASED

AT_ONCE = 1000
# What is answered while this runs is erased, too: clocks differ, and tokens are refused within seconds.
MARGIN = timedelta(minutes=1)
# As long as any access token of ours may live.
TOKENS_LIVE = timedelta(days=1, minutes=5)

_BARE: dict[str, Any] = {
    "features": msgspec.json.decode(ERASED),
    "request_id": "",
    "trace_id": None,
    "split_key": None,
    "user_id": None,
}


@dataclass(frozen=True, kw_only=True)
class Erasing:
    """`counted` hears of each batch: the table, and how many rows of it were changed or deleted."""

    engine: Engine
    person: Person
    actor: str
    counted: Callable[[str, int], None]
    clock: Callable[[], datetime] = utc_now

    def run(self) -> str:
        """The pseudonym that stands in the person's place from now on."""
        with self.engine.begin() as connection:
            number = write_down(connection, self.person, before=self.clock() + MARGIN)
        name = pseudonym(number)
        if self.person.kind == SUBJECT:
            self._identity(name)
            self._renamed(name)
        else:
            self._named_in_requests()
        self._tell(name)
        return name

    def _identity(self, name: str) -> None:
        """What logging in has left, in one transaction: nobody logs in between."""
        with self.engine.begin() as connection:
            try:
                user = users.lock_user(connection, self.person.value)
            except users.NoSuchUser:
                user = None
            if user is not None:
                self._user(connection, user.id, name)
            for table, count in _identity_rows(connection, self.person.value, name):
                self.counted(table, count)

    def _user(self, connection: Connection, user_id: int, name: str) -> None:
        now = self.clock()
        sessions.end_sessions(connection, user_id, now=now, until=now + TOKENS_LIVE)
        forgotten = update(LoginSession).where(LoginSession.user_id == user_id).values(address=None)
        self.counted("login_sessions", connection.execute(forgotten).rowcount)
        tokens = delete(RefreshToken).where(RefreshToken.user_id == user_id)
        self.counted("refresh_tokens", connection.execute(tokens).rowcount)
        of_them = delete(Revocation).where(Revocation.kind == SUBJECT, Revocation.value == self.person.value)
        self.counted("revocations", connection.execute(of_them).rowcount)
        users.change_user(connection, user_id, username=name, password_hash="", scopes="", disabled_at=now)
        self.counted("users", 1)

    def _renamed(self, name: str) -> None:
        """The person's own predictions, and what they told of any."""
        of_them = select(Prediction.id).where(Prediction.subject == self.person.value).limit(AT_ONCE)
        bare = update(Prediction).where(Prediction.id.in_(of_them.scalar_subquery()))
        self._in_batches("predictions", bare.values(subject=name, **_BARE))
        told = select(Feedback.id).where(Feedback.subject == self.person.value).limit(AT_ONCE)
        renamed = update(Feedback).where(Feedback.id.in_(told.scalar_subquery()))
        self._in_batches("feedback", renamed.values(subject=name))

    def _in_batches(self, table: str, change: Any) -> None:
        while True:
            with self.engine.begin() as connection:
                count = connection.execute(change).rowcount
            self.counted(table, count)
            if count < AT_ONCE:
                return

    def _named_in_requests(self) -> None:
        """The caller was somebody else, and stays; what says who it was about goes."""
        values = {name: value for name, value in _BARE.items() if name != "user_id"}
        for ids in naming(self.engine, self.person):
            with self.engine.begin() as connection:
                bare = update(Prediction).where(Prediction.id.in_(ids)).values(**values)
                self.counted("predictions", connection.execute(bare).rowcount)

    def _tell(self, name: str) -> None:
        about = {} if self.person.kind == SUBJECT else {"named_in": self.person.kind}
        event = EventRow(event="person.erased", actor=self.actor, subject=name, facts=about, at=self.clock())
        with self.engine.begin() as connection:
            identity_events.append(connection, event)


def naming(engine: Engine, person: Person) -> Iterator[list[int]]:
    """Predictions of the model whose rows name the person in that field, some at a time.

    The database looks for the value as JSON anywhere in the row, and the field is looked at here: a row with an escaped NUL
    would fail a look inside of it on PostgreSQL.
    """
    written = msgspec.json.encode(person.value).decode()[1:-1]  # numbers stand without quotes
    row, last = cast(Prediction.features, Text), 0
    while True:
        asked = select(Prediction.id, Prediction.features)
        asked = asked.where(Prediction.model == person.model, Prediction.id > last)
        asked = asked.where(row.contains(written, autoescape=True))
        with engine.connect() as connection:
            found = connection.execute(asked.order_by(Prediction.id).limit(AT_ONCE)).all()
        if not found:
            return
        last = found[-1].id
        ids = [each.id for each in found if as_text(_value(each.features, person.field)) == person.value]
        if ids:
            yield ids


def count_rows(engine: Engine, person: Person) -> dict[str, int]:
    """By table, how many rows an erasure would change; `users` first."""
    if person.kind != SUBJECT:
        return {"predictions": sum(len(ids) for ids in naming(engine, person))}
    value = person.value
    wanted: dict[str, Any] = {
        "users": select(func.count(User.id)).where(User.username == value),
        "login_sessions": select(func.count(LoginSession.id)).join(User).where(User.username == value),
        "predictions": select(func.count(Prediction.id)).where(Prediction.subject == value),
        "feedback": select(func.count(Feedback.id)).where(Feedback.subject == value),
        "identity_events": select(func.count(IdentityEvent.id)).where(
            (IdentityEvent.subject == value) | (IdentityEvent.actor == value)
        ),
    }
    with engine.connect() as connection:
        return {table: connection.scalar(asked) or 0 for table, asked in wanted.items()}


def _identity_rows(connection: Connection, value: str, name: str) -> Iterator[tuple[str, int]]:
    """What is kept by name without being a user's: also of somebody who is none here."""
    for column in (IdentityEvent.subject, IdentityEvent.actor):
        renamed = update(IdentityEvent).where(column == value).values({column.key: name})
        yield "identity_events", connection.execute(renamed).rowcount
    failures = delete(LoginFailure).where(
        (LoginFailure.key == account_key(value))
        | LoginFailure.key.startswith(pair_prefix(value), autoescape=True)
    )
    yield "login_failures", connection.execute(failures).rowcount
    known = delete(KnownAddress).where(KnownAddress.key.startswith(pair_prefix(value), autoescape=True))
    yield "known_addresses", connection.execute(known).rowcount


def _value(features: Any, field: str) -> Any:
    return features.get(field) if isinstance(features, dict) else None
