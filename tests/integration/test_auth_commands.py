"""The administrator's command line on both databases: what it does to users and clients, and what ends with it."""

from __future__ import annotations

import argon2
import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from auth.client_secrets import is_secret
from auth.passwords import Passwords
from records import identity_events
from records.tables import RefreshToken, User
from records.users import add_user, find_user
from tests.auth_commands import Command, ada, events, log_in, open_sessions, revoked

PASSWORD = "correct horse battery"
OTHER = "seven purple giraffes knit"


@pytest.fixture
def command(database_url: str, capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(database_url, capsys)


def test_a_user_is_made_with_a_typed_password(command: Command, engine: Engine) -> None:
    done = command("create-user", "ada", "--scope", "read", "--scope", "predict:iris", typed=PASSWORD)
    assert (done.code, done.said) == (0, "created ada with the scopes: predict:iris read\n")
    made = find_user(engine, "ada")
    assert made is not None
    assert (made.kind, made.scopes, made.disabled) == ("person", "predict:iris read", False)
    assert Passwords().verify(made.password_hash, PASSWORD)
    assert events(engine) == [("user.created", "ada")]


def test_a_client_is_made_with_a_secret_that_is_shown_once(command: Command, engine: Engine) -> None:
    done = command("create-client", "shop", "--output", "json")
    secret = done.document["secret"]
    made = find_user(engine, "shop")
    assert made is not None
    assert (made.kind, made.scopes) == ("client", "predict read")
    assert secret.startswith("slipway_")
    assert len(secret) >= 40
    assert is_secret(made.password_hash, secret)
    assert command("create-client", "other", "--output", "json").document["secret"] != secret
    with engine.connect() as connection:
        kept = str(connection.execute(text("select * from identity_events")).all())
    assert secret not in kept + made.password_hash


def test_a_disabled_user_loses_sessions_refresh_tokens_and_access_tokens_at_once(
    command: Command, engine: Engine
) -> None:
    ada(engine)
    add_user(engine, username="bob", password_hash="hash", scopes="predict")
    log_in(engine, "ada", "s-1")
    log_in(engine, "bob", "s-2")
    assert command("disable-user", "ada").code == 0
    user = find_user(engine, "ada")
    assert user is not None
    assert user.disabled
    assert open_sessions(engine) == {"s-2"}
    assert revoked(engine) == {("subject", "ada"), ("session", "s-1")}
    with Session(engine) as session:
        left = session.scalars(select(RefreshToken.family_id).where(RefreshToken.revoked_at.is_(None)))
        assert set(left) == {"s-2"}
    assert events(engine) == [("user.disabled", "ada")]


def test_an_enabled_user_may_log_in_again_but_old_tokens_stay_refused(
    command: Command, engine: Engine
) -> None:
    ada(engine)
    command("disable-user", "ada")
    assert command("enable-user", "ada").said == "ada can log in again\n"
    user = find_user(engine, "ada")
    assert user is not None
    assert not user.disabled
    assert revoked(engine) == {("subject", "ada")}
    assert events(engine) == [("user.enabled", "ada"), ("user.disabled", "ada")]


def test_a_new_password_ends_what_the_old_one_opened(command: Command, engine: Engine) -> None:
    ada(engine)
    log_in(engine, "ada", "s-1")
    done = command("set-password", "ada", typed=OTHER)
    assert done.code == 0
    assert OTHER not in done.said + done.complained
    user = find_user(engine, "ada")
    assert user is not None
    assert Passwords().verify(user.password_hash, OTHER)
    assert open_sessions(engine) == set()
    assert revoked(engine) == {("subject", "ada"), ("session", "s-1")}


def test_a_client_gets_a_new_secret(command: Command, engine: Engine) -> None:
    ada(engine, kind="client")
    secret = command("new-secret", "ada", "--output", "json").document["secret"]
    user = find_user(engine, "ada")
    assert user is not None
    assert is_secret(user.password_hash, secret)
    assert revoked(engine) == {("subject", "ada")}
    assert events(engine) == [("client.secret", "ada")]


@pytest.mark.parametrize(
    ("kind", "wrong", "right"),
    [("person", "new-secret", "set-password"), ("client", "set-password", "new-secret")],
)
def test_people_have_passwords_and_clients_have_secrets(
    command: Command, engine: Engine, kind: str, wrong: str, right: str
) -> None:
    ada(engine, kind=kind)
    done = command(wrong, "ada", typed=PASSWORD)
    assert (done.code, done.complained) == (1, f"ada is a {kind}: use {right}\n")
    assert (revoked(engine), events(engine)) == (set(), [])


def test_a_scope_that_is_taken_away_takes_the_tokens_with_it(command: Command, engine: Engine) -> None:
    ada(engine)
    log_in(engine, "ada", "s-1")
    done = command("rescope", "ada", "--grant", "predict:iris feedback", "--revoke", "predict")
    assert (done.code, done.said) == (
        0,
        "ada has the scopes: feedback predict:iris read; tokens issued before are refused\n",
    )
    assert revoked(engine) == {("subject", "ada")}
    assert open_sessions(engine) == {"s-1"}
    (event,) = identity_events.latest(engine, limit=9)
    assert event.facts == {"before": "predict read", "after": "feedback predict:iris read"}


def test_a_scope_that_is_added_takes_nothing_away(command: Command, engine: Engine) -> None:
    ada(engine)
    assert command("rescope", "ada", "--grant", "feedback").code == 0
    user = find_user(engine, "ada")
    assert user is not None
    assert user.scopes == "feedback predict read"
    assert revoked(engine) == set()


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ((), "say which scopes"),
        (("--grant", "root"), "there is no scope root"),
        (("--grant", "predict:"), "there is no scope"),
        (("--revoke", "admin"), "ada does not have admin"),
        (("--grant", "feedback", "--revoke", "feedback"), "at once"),
    ],
)
def test_a_change_of_scopes_that_makes_no_sense_changes_nothing(
    command: Command, engine: Engine, changes: tuple[str, ...], complaint: str
) -> None:
    ada(engine)
    done = command("rescope", "ada", *changes)
    assert done.code == 1
    assert complaint in done.complained
    user = find_user(engine, "ada")
    assert user is not None
    assert (user.scopes, events(engine)) == ("predict read", [])


@pytest.mark.parametrize(
    "arguments",
    [
        ("disable-user",),
        ("enable-user",),
        ("set-password",),
        ("new-secret",),
        ("rescope", "--grant", "read"),
        ("unlock",),
        ("end-sessions",),
        ("sessions",),
    ],
    ids=lambda arguments: arguments[0],
)
def test_who_does_not_exist_is_told_apart(
    command: Command, engine: Engine, arguments: tuple[str, ...]
) -> None:
    done = command(arguments[0], "nobody", *arguments[1:], typed=PASSWORD)
    assert (done.code, done.complained) == (1, "there is no user nobody\n")
    assert events(engine) == []


REFUSED = {
    "short": (("create-user", "bob"), "too short", "12 to 1024"),
    "empty": (("create-user", "bob"), "", "12 to 1024"),
    "endless": (("create-user", "bob"), "x" * 1025, "12 to 1024"),
    "common": (("create-user", "bob"), "Password1234!", "easy to guess"),
    "repeated": (("create-user", "bob"), "abababababababab", "easy to guess"),
    "keyboard": (("create-user", "bob"), "qwertyuiop12", "easy to guess"),
    "name": (("create-user", "giselle.delacroix"), "giselle.delacroix1", "easy to guess"),
    "username": (("create-user", "bob smith"), PASSWORD, "user name"),
    "characters": (("create-user", "bob", "--scopes", 'read pre"dict'), PASSWORD, "scope"),
    "scope": (("create-user", "bob", "--scopes", "read write"), PASSWORD, "there is no scope write"),
    "taken": (("create-user", "ada"), PASSWORD, "already"),
    "taken by a user": (("create-client", "ada"), "", "already"),
    "new one": (("set-password", "ada"), "letmein12345", "easy to guess"),
    "hash": (("hash",), "Password1234!", "easy to guess"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_is_refused_with_the_reason_and_without_the_password(
    command: Command, engine: Engine, case: str
) -> None:
    arguments, typed, complaint = REFUSED[case]
    ada(engine)
    done = command(*arguments, typed=typed)
    assert done.code == 1
    assert complaint in done.complained
    assert typed not in done.complained or not typed
    assert events(engine) == []
    with Session(engine) as session:
        assert session.scalars(select(User.username)).all() == ["ada"]


def test_a_hash_is_printed_for_a_typed_password(command: Command) -> None:
    done = command("hash", typed=PASSWORD)
    assert argon2.extract_parameters(done.said.strip()).memory_cost == 19_456


def test_a_new_database_has_no_user_at_all(command: Command, engine: Engine) -> None:
    """Nothing makes one but an administrator: there are no default credentials to change."""
    with Session(engine) as session:
        assert session.scalars(select(User)).all() == []
