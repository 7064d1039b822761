"""Whoever is erased is found nowhere in the database, and every row that was counted is still there."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from auth.passwords import Passwords
from records import identity_events, known_addresses, login_failures, revocations, sessions
from records.__main__ import main
from records.account_keys import account_key, pair_prefix
from records.erasing import AT_ONCE
from records.erasures import SUBJECT, Person, concerning, write_down
from records.feedback import tell
from records.identity_events import EventRow
from records.prediction_log import insert_predictions
from records.prediction_record import PredictionRecord
from records.revocations import RevocationRow
from records.session_rows import RefreshRow, SessionRow
from records.tables import Erasure, Feedback, LoginSession, Prediction, RefreshToken, User
from records.truth import Truth
from records.users import add_user, find_user
from records.withheld import EVERYTHING, withheld
from serving.agent.prediction_table import SqlPredictionTable
from tests.every_text import places_of
from tests.prediction_records import made_record

NOW = datetime.now(UTC)
ADA = "ada.lovelace@example.org"
ADDRESS = "192.0.2.77"
BASKET = msgspec.Raw(b'{"user_id":"u-17","ordered_at":null,"prior_item_count":3}')


def ship(engine: Engine, *records: PredictionRecord) -> None:
    SqlPredictionTable(engine).insert(records)


def about(name: str, **changes: Any) -> PredictionRecord:
    """A record of ada's, with her name wherever a caller can put it."""
    said = {
        "subject": ADA,
        "features": msgspec.Raw(msgspec.json.encode({"note": ADA})),
        "request_id": f"req-{ADA}",
        "trace_id": f"trace-{ADA}",
        "split_key": f"key-{ADA}",
        "created_at": NOW.timestamp(),
    }
    return made_record(name, **{**said, **changes})


def erase(url: str, *arguments: str) -> int:
    return main(["erase", *arguments, "--database-url", url, "--actor", "operator"])


def stored(engine: Engine, name: str) -> Prediction:
    with Session(engine) as session:
        return session.scalars(select(Prediction).where(Prediction.prediction_id == name)).one()


def count(engine: Engine, table: Any) -> int:
    with engine.connect() as connection:
        return connection.scalar(select(func.count(table.id))) or 0


def living(engine: Engine) -> int:
    """Everything that a user leaves behind; their id."""
    user = add_user(engine, username=ADA, password_hash=Passwords().hash("secret"), scopes="predict")
    session = SessionRow(
        session_id="s-1",
        user_id=user.id,
        address=ADDRESS,
        created_at=NOW,
        expires_at=NOW + timedelta(days=1),
    )
    refresh = RefreshRow(token_hash="t-1", scopes="predict", expires_at=NOW + timedelta(days=1))
    sessions.open_session(engine, session, refresh, lambda owner: owner)
    known_addresses.remember(engine, f"{pair_prefix(ADA)}{ADDRESS}", now=NOW)
    keys = [account_key(ADA), f"{pair_prefix(ADA)}{ADDRESS}"]
    login_failures.count(engine, keys, now=NOW, since=NOW - timedelta(hours=1), until=NOW)
    for actor, subject in (("operator", ADA), (ADA, "bob")):
        with engine.begin() as connection:
            event = EventRow(event="user.created", actor=actor, subject=subject, facts={}, at=NOW)
            identity_events.append(connection, event)
            row = RevocationRow(
                kind=SUBJECT, value=subject, issued_before=NOW, expires_at=NOW + timedelta(hours=1)
            )
            revocations.add(connection, [row])
    return user.id


def test_nothing_of_a_user_is_left_and_every_row_that_counts_is(
    engine: Engine, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    user_id = living(engine)
    ship(engine, about("p-1", user_id=user_id), about("p-2"), made_record("p-3", subject="bob"))
    with engine.begin() as connection:
        tell(connection, [Truth("p-3", 20.0)], subject=ADA, now=NOW)
    assert places_of(engine, ADA)
    assert erase(database_url, ADA) == 0
    said = capsys.readouterr().out
    assert "predictions: 2" in said
    assert "feedback: 1" in said
    assert "users: 1" in said
    assert "Not reached" in said
    assert places_of(engine, ADA, ADDRESS, account_key(ADA), pair_prefix(ADA)) == []
    assert [count(engine, table) for table in (Prediction, Feedback, User, LoginSession)] == [3, 1, 1, 1]
    row, others = stored(engine, "p-1"), stored(engine, "p-3")
    assert row.subject == stored(engine, "p-2").subject == "erased/1"
    assert withheld(row.features) == (EVERYTHING,)
    assert (row.user_id, row.request_id, row.trace_id, row.split_key) == (None, "", None, None)
    assert (row.model, row.version, row.predicted_value) == ("food-delivery", "7", 23.5)
    assert (others.subject, others.features) == ("bob", {"distance_km": 5.25})


def test_their_sessions_end_and_their_tokens_die(engine: Engine, database_url: str) -> None:
    living(engine)
    erase(database_url, ADA)
    active = revocations.active(engine, NOW)
    assert ("session", "s-1") in {(row.kind, row.value) for row in active}
    assert find_user(engine, ADA) is None
    gone = find_user(engine, "erased/1")
    assert gone is not None
    assert (gone.disabled, gone.scopes, gone.password_hash) == (True, "", "")
    assert not Passwords().verify(gone.password_hash, "secret")
    assert count(engine, RefreshToken) == 0


def test_who_erased_them_is_written_down_without_their_name(engine: Engine, database_url: str) -> None:
    erase(database_url, ADA)
    (event,) = identity_events.latest(engine, limit=9)
    assert (event.event, event.actor, event.subject) == ("person.erased", "operator", "erased/1")


def test_what_was_still_in_a_spool_is_erased_when_it_arrives(engine: Engine, database_url: str) -> None:
    erase(database_url, ADA)
    later = (NOW + timedelta(hours=1)).timestamp()
    ship(engine, about("p-1"), made_record("p-2", subject="bob"), about("p-3", created_at=later))
    assert stored(engine, "p-1").subject == "erased/1"
    assert withheld(stored(engine, "p-1").features) == (EVERYTHING,)
    assert stored(engine, "p-2").subject == "bob"
    assert stored(engine, "p-3").subject == ADA, "who comes back is somebody again"


def test_who_comes_back_may_be_erased_again(engine: Engine, database_url: str) -> None:
    for name in ("p-1", "p-2"):
        ship(engine, about(name, created_at=(NOW + timedelta(hours=1)).timestamp()))
        assert erase(database_url, ADA) == 0
    assert places_of(engine, ADA) == []
    assert count(engine, Erasure) == 1


def test_a_caller_of_another_issuer_is_erased_by_the_whole_subject(engine: Engine, database_url: str) -> None:
    ship(engine, about("p-1", subject="corp:ada"), about("p-2", subject="ada"))
    assert erase(database_url, "corp:ada") == 0
    assert [stored(engine, name).subject for name in ("p-1", "p-2")] == ["erased/1", "ada"]


def test_more_rows_than_a_batch_are_erased(engine: Engine, database_url: str) -> None:
    ship(engine, *(about(f"p-{number}") for number in range(AT_ONCE + 1)))
    erase(database_url, ADA)
    assert places_of(engine, ADA) == []


def test_somebody_whom_requests_name_is_erased_and_who_asked_stays(
    engine: Engine, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: dict[str, Any] = {"subject": "shop", "request_id": "u-17", "created_at": NOW.timestamp()}
    named = {"model": "basket", "features": BASKET, **asked}
    other = msgspec.Raw(b'{"user_id":"u-1","note":"not u-17"}')
    ship(engine, made_record("p-1", **named), made_record("p-2", **{**named, "features": other}))
    assert erase(database_url, "--entity", "basket.user_id=u-17", "--dry-run") == 0
    assert "predictions: 1\nNothing was changed." in capsys.readouterr().out
    assert erase(database_url, "--entity", "basket.user_id=u-17") == 0
    row = stored(engine, "p-1")
    assert (row.subject, row.request_id, withheld(row.features)) == ("shop", "", (EVERYTHING,))
    assert stored(engine, "p-2").features["user_id"] == "u-1"
    ship(engine, made_record("p-3", **named), made_record("p-4", **{**named, "features": other}))
    assert [withheld(stored(engine, name).features) for name in ("p-3", "p-4")] == [(EVERYTHING,), ()]


@pytest.mark.parametrize("value", ["a\x00b", 'quo"te', "50%_\\", "Zoë\U0001f680", "7"])
def test_a_name_may_hold_anything(engine: Engine, database_url: str, value: str) -> None:
    texts = msgspec.json.encode({"user_id": value, "more": "a\x00b"})
    number = b'{"user_id":7}' if value == "7" else texts
    records = [
        made_record(name, model="basket", features=msgspec.Raw(features))
        for name, features in (("p-1", texts), ("p-2", number), ("p-3", b'{"user_id":"x\\u0000"}'))
    ]
    ship(engine, *records)
    assert erase(database_url, "--entity", f"basket.user_id={value}") == 0
    erased = [withheld(stored(engine, name).features) for name in ("p-1", "p-2", "p-3")]
    assert erased == [(EVERYTHING,), (EVERYTHING,), ()]


def test_a_dry_run_counts_and_changes_nothing(
    engine: Engine, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    living(engine)
    ship(engine, about("p-1"))
    before = places_of(engine, ADA)
    assert erase(database_url, ADA, "--dry-run") == 0
    said = capsys.readouterr().out
    for line in ("users: 1", "predictions: 1", "login_sessions: 1", "identity_events: 2", "Nothing was"):
        assert line in said
    assert places_of(engine, ADA) == before
    assert count(engine, Erasure) == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("",),
        ("erased/1",),
        ("--entity", "basket=u-17"),
        ("--entity", "basket.user_id="),
        ("--entity", "x"),
        ("--entity", "nosuch.x=41"),
        ("--entity", "housing.nosuch=41"),
        ("--entity", "housing.house_age=old"),
        ("--entity", "housing.ocean_proximity=null"),
    ],
)
def test_a_person_that_cannot_be_meant_is_refused(
    engine: Engine, database_url: str, arguments: tuple[str, ...]
) -> None:
    assert erase(database_url, *arguments) == 2
    assert count(engine, Erasure) == 0


def test_nobody_ships_past_an_erasure(engine: Engine, database_url: str) -> None:
    """A shipper that looked before the erasure was written down commits before the erasure looks for rows."""
    looked, go_on = threading.Event(), threading.Event()

    def shipper() -> None:
        with engine.begin() as connection:
            assert not concerning(connection, [about("p-1")])
            looked.set()
            go_on.wait(10)
            insert_predictions(connection, [about("p-1")])

    shipping = threading.Thread(target=shipper)
    shipping.start()
    assert looked.wait(10)
    erasing = threading.Thread(target=erase, args=(database_url, ADA))
    erasing.start()
    erasing.join(0.3)
    assert erasing.is_alive()
    go_on.set()
    shipping.join(20)
    erasing.join(20)
    assert places_of(engine, ADA) == []
    assert stored(engine, "p-1").subject == "erased/1"


def test_an_erasure_that_was_interrupted_is_finished_by_repeating_it(
    engine: Engine, database_url: str
) -> None:
    ship(engine, about("p-1"))
    with engine.begin() as connection:
        write_down(connection, Person(kind=SUBJECT, value=ADA), before=NOW + timedelta(minutes=1))
    assert erase(database_url, ADA) == 0
    assert places_of(engine, ADA) == []
    assert stored(engine, "p-1").subject == "erased/1"


@pytest.mark.parametrize("value", ["41", "41.0", "4.1e1"])
def test_a_number_is_erased_however_it_is_written(engine: Engine, database_url: str, value: str) -> None:
    rows = [
        made_record(name, model="housing", features=msgspec.Raw(features), created_at=NOW.timestamp())
        for name, features in (("p-1", b'{"house_age":41.0}'), ("p-2", b'{"house_age":141.0}'))
    ]
    ship(engine, *rows)
    assert erase(database_url, "--entity", f"housing.house_age={value}") == 0
    assert [withheld(stored(engine, name).features) for name in ("p-1", "p-2")] == [(EVERYTHING,), ()]
    ship(engine, made_record("p-3", model="housing", features=rows[0].features, created_at=NOW.timestamp()))
    assert withheld(stored(engine, "p-3").features) == (EVERYTHING,), "as it came late"


def test_files_that_no_command_reaches_are_named(
    engine: Engine, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert erase(database_url, "--entity", "basket.user_id=u-17") == 0
    assert "LOG_DIR: model_metrics.txt" in capsys.readouterr().out
