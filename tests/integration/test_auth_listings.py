"""The administrator's command line on both databases: who is there, who is logged in, and who did what."""

from __future__ import annotations

import subprocess
import sys

import pytest
from sqlalchemy import Engine, text

from auth.lockout import FREE_BY_ACCOUNT
from auth.principal import Principal
from auth.revocations import Revocation, Revocations
from records import login_failures, revocations
from records.account_keys import account_key, pair_prefix
from records.columns import utc_now
from records.users import add_user, find_user
from tests.architecture.source_tree import ROOT
from tests.auth_commands import Command, ada, log_in, open_sessions, revoked


@pytest.fixture
def command(database_url: str, capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(database_url, capsys)


def test_sessions_are_listed_and_ended(command: Command, engine: Engine) -> None:
    ada(engine)
    add_user(engine, username="bob", password_hash="hash", scopes="predict")
    for name, session_id in (("ada", "s-1"), ("ada", "s-2"), ("bob", "s-3")):
        log_in(engine, name, session_id)
    listed = command("sessions", "--output", "json").document
    assert [(row["session"], row["name"], row["from"]) for row in listed] == [
        ("s-3", "bob", "192.0.2.7"),
        ("s-2", "ada", "192.0.2.7"),
        ("s-1", "ada", "192.0.2.7"),
    ]
    assert "s-3" not in command("sessions", "ada").said
    assert command("end-sessions", "ada", "--session", "s-3").code == 1
    assert command("end-sessions", "ada", "--session", "s-1").code == 0
    assert revoked(engine) == {("session", "s-1")}
    assert command("end-sessions", "ada").said == "1 sessions of ada ended\n"
    assert open_sessions(engine) == {"s-3"}
    assert revoked(engine) == {("session", "s-1"), ("session", "s-2"), ("subject", "ada")}
    assert command("sessions", "ada").said == "ada is not logged in\n"


def test_tokens_are_revoked_by_id_or_by_caller(command: Command, engine: Engine) -> None:
    assert command("revoke", "--token-id", "jti-1").code == 0
    assert command("revoke", "--subject", "cluster:system:serviceaccount:shop:till").code == 0
    assert revoked(engine) == {("token", "jti-1"), ("subject", "cluster:system:serviceaccount:shop:till")}
    assert command("revoke", "--subject", "two\nlines").code == 1


def test_a_revoked_user_has_no_session_left(command: Command, engine: Engine) -> None:
    ada(engine)
    add_user(engine, username="bob", password_hash="hash", scopes="predict")
    for name, session_id in (("ada", "s-1"), ("ada", "s-2"), ("bob", "s-3")):
        log_in(engine, name, session_id)
    assert "2 sessions ended" in command("revoke", "--subject", "ada").said
    assert open_sessions(engine) == {"s-3"}
    assert revoked(engine) == {("subject", "ada"), ("session", "s-1"), ("session", "s-2")}


def test_a_reader_who_has_had_enough_changes_no_answer(command: Command, engine: Engine) -> None:
    ada(engine)
    asked = f"{sys.executable} -m auth users --database-url '{command.database_url}' | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", asked], capture_output=True, text=True, cwd=ROOT)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_locked_user_is_unlocked(command: Command, engine: Engine, database_url: str) -> None:
    ada(engine)
    keys = [account_key("ada"), f"{pair_prefix('ada')}192.0.2.7", account_key("bob"), "address:192.0.2.7"]
    now = utc_now()
    for _ in range(FREE_BY_ACCOUNT):
        login_failures.count(engine, keys, now=now, since=now, until=now)
    (listed,) = command("users", "--output", "json").document
    assert 0 < listed["locked_seconds"] <= 5
    assert command("unlock", "ada").code == 0
    assert {row.key for row in login_failures.read(engine, keys)} == {account_key("bob"), "address:192.0.2.7"}


def test_users_are_listed_with_their_last_login(command: Command, engine: Engine) -> None:
    assert command("users").said == "there are no users\n"
    ada(engine)
    add_user(engine, username="shop", password_hash="hash", scopes="predict", kind="client")
    log_in(engine, "ada", "s-1")
    command("disable-user", "shop")
    first, second = command("users", "--output", "json").document
    assert (first["name"], first["kind"], first["scopes"], first["disabled"]) == (
        "ada",
        "person",
        "predict read",
        False,
    )
    assert first["last_login"] is not None
    assert (second["name"], second["kind"], second["disabled"], second["last_login"]) == (
        "shop",
        "client",
        True,
        None,
    )
    shown = command("users")
    assert shown.said.split()[:5] == ["name", "kind", "scopes", "disabled", "created"]
    assert "hash" not in shown.said


def test_the_trail_says_who_did_what_to_whom(command: Command, engine: Engine) -> None:
    ada(engine)
    command("disable-user", "ada", "--actor", "grace")
    command("revoke", "--token-id", "jti-1", "--actor", "lin")
    trail = command("events", "--output", "json").document
    assert [(row["event"], row["subject"], row["actor"]) for row in trail] == [
        ("token.revoked", "jti-1", "lin"),
        ("user.disabled", "ada", "grace"),
    ]
    assert "ended_sessions=0" in command("events", "ada").said
    assert len(command("events", "--limit", "1", "--output", "json").document) == 1


@pytest.mark.parametrize("limit", ["0", "-1", "few"])
def test_less_than_one_event_cannot_be_asked_for(
    capsys: pytest.CaptureFixture[str], sqlite_url: str, limit: str
) -> None:
    with pytest.raises(SystemExit):
        Command(sqlite_url, capsys)("events", "--limit", limit)
    assert "argument --limit" in capsys.readouterr().err


def test_a_change_that_cannot_be_written_down_does_not_happen(command: Command, engine: Engine) -> None:
    ada(engine)
    log_in(engine, "ada", "s-1")
    with engine.begin() as connection:
        connection.execute(text("drop table identity_events"))
    done = command("disable-user", "ada")
    assert done.code == 2
    user = find_user(engine, "ada")
    assert user is not None
    assert (user.disabled, open_sessions(engine), revoked(engine)) == (False, {"s-1"}, set())


@pytest.mark.parametrize(("issued", "refused"), [(-900.0, True), (0.0, True), (5.0, False)])
def test_tokens_from_before_a_change_are_refused_and_later_ones_are_not(
    command: Command, engine: Engine, issued: float, refused: bool
) -> None:
    ada(engine)
    command("disable-user", "ada")
    command("enable-user", "ada")
    (row,) = revocations.active(engine, utc_now())
    known = Revocations()
    known.add(Revocation(row.kind, row.value, row.issued_before.timestamp(), row.expires_at.timestamp()))
    issued_at = float(int(row.issued_before.timestamp() + issued))
    principal = Principal(
        subject="ada",
        issuer="slipway",
        scopes=frozenset(),
        expires_at=issued_at + 900,
        user_id=1,
        token_id="jti-1",
        issued_at=issued_at,
    )
    assert known.covers(principal) is refused
