"""Other people's predictions and sessions do not exist (T10, A22), and nobody becomes somebody by what a body says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations

import pytest
from sqlalchemy import Engine

from records.engine import open_engine
from records.prediction_log import insert_predictions
from serving.identifiers import Identifiers
from tests.attacks.callers import Caller, but_for_its_id, log_in, refresh
from tests.attacks.conftest import USERS
from tests.attacks.corpus.mints import cluster, corp
from tests.front_service import FLOWER, PASSWORD, FrontService
from tests.problem_schema import problem

NEW_ID = Identifiers()
NO_SESSION = "0" * 32


@dataclass(frozen=True)
class Owner:
    caller: Caller
    prediction_id: str
    session_id: str


@pytest.fixture(scope="module")
def engine(fortress: FrontService) -> Iterator[Engine]:
    opened = open_engine(fortress.settings.database_url.get_secret_value())
    yield opened
    opened.dispose()


@pytest.fixture(scope="module")
def owners(fortress: FrontService, engine: Engine) -> list[Owner]:
    """Three users, each with a session and a prediction that has reached the database; and two callers of other issuers,
    one of them a namesake.
    """
    callers = [log_in(fortress, name) for name in USERS]
    for mint in (corp(), cluster()):
        callers.append(Caller(fortress, mint.name, {"access_token": mint.now().good}, "192.0.2.11"))
    owners = []
    for caller in callers:
        answered = caller.ask("POST", "/predict/iris", json=FLOWER).json()
        owners.append(Owner(caller, answered["prediction_id"], caller.session_id))
    with engine.begin() as connection:
        insert_predictions(connection, fortress.logged())
    return owners


def test_everybody_sees_their_own(owners: list[Owner]) -> None:
    for owner in owners:
        found = owner.caller.ask("GET", f"/predictions/{owner.prediction_id}")
        assert (found.status_code, found.json()["features"]) == (200, FLOWER)
    for owner in owners[: len(USERS)]:
        listed = [session["id"] for session in owner.caller.ask("GET", "/auth/sessions").json()["sessions"]]
        assert owner.session_id in listed


def test_another_ones_prediction_is_an_unknown_one(owners: list[Owner]) -> None:
    for asking, owning in permutations(owners, 2):
        unknown = asking.caller.ask("GET", f"/predictions/{NEW_ID()}")
        problem(unknown, 404, "prediction-not-found")
        found = asking.caller.ask("GET", f"/predictions/{owning.prediction_id}")
        assert but_for_its_id(found) == but_for_its_id(unknown)


def test_another_ones_session_is_an_unknown_one_and_goes_on(owners: list[Owner]) -> None:
    people = owners[: len(USERS)]
    for asking, owning in (
        (asking, owning) for asking in owners for owning in people if asking is not owning
    ):
        unknown = asking.caller.ask("DELETE", f"/auth/sessions/{NO_SESSION}")
        problem(unknown, 404, "session-not-found")
        ended = asking.caller.ask("DELETE", f"/auth/sessions/{owning.session_id}")
        assert but_for_its_id(ended) == but_for_its_id(unknown)
    for owner in people:
        assert owner.caller.is_let_in()
        others = {other.session_id for other in people if other is not owner}
        listed = {session["id"] for session in owner.caller.ask("GET", "/auth/sessions").json()["sessions"]}
        assert listed.isdisjoint(others)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_no_method_makes_more_of_an_id(owners: list[Owner], method: str) -> None:
    asking, owning = owners[2], owners[0]
    for path in (f"/predictions/{owning.prediction_id}", f"/auth/sessions/{owning.session_id}"):
        answer = asking.caller.ask(method, path)
        assert answer.status_code in (404, 405)
        assert owning.caller.name not in answer.text
    assert owning.caller.is_let_in()


def test_revoking_takes_the_token_itself(owners: list[Owner]) -> None:
    """Its id, its session's and its owner's name are not enough, and an answer does not tell what is known."""
    asking, owning = owners[2].caller, owners[0]
    answers = [
        asking.service.ask("POST", "/auth/revoke", data={"token": said})
        for said in (owning.session_id, owning.prediction_id, owning.caller.name, "unknown", "a.b.c")
    ]
    assert {answer.status_code for answer in answers} == {200}
    assert len({str(but_for_its_id(answer)) for answer in answers}) == 1
    subject = asking.ask("POST", "/auth/revoke", data={"subject": owning.caller.name})
    problem(subject, 403, "insufficient-scope")
    assert asking.service.ask("POST", "/auth/revoke", data={"subject": owning.caller.name}).status_code == 401
    assert owning.caller.is_let_in()


@pytest.mark.parametrize(
    "name", ["user_id", "subject", "sub", "uid", "admin", "scopes", "scope", "kind", "id"]
)
def test_a_json_body_sets_nothing_that_it_may_not(
    fortress: FrontService, owners: list[Owner], name: str
) -> None:
    ada = owners[0].caller
    credentials = {"username": "eve", "password": PASSWORD}
    for value in (1, "ada", "admin", True, ["admin"]):
        problem(fortress.ask("POST", "/login", json={**credentials, name: value}), 400, "invalid-request")
        problem(ada.ask("POST", "/predict/iris", json={**FLOWER, name: value}), 400, "invalid-request")
        if name != "scope":
            refreshed = fortress.ask("POST", "/auth/refresh", json={"refresh_token": "A" * 43, name: value})
            problem(refreshed, 400, "invalid-request")


def test_a_form_sets_nothing_that_it_may_not(fortress: FrontService) -> None:
    """RFC 6749, section 3.2: parameters that nobody knows are ignored."""
    extra = {
        "user_id": "1",
        "sub": "ada",
        "scopes": "admin",
        "admin": "true",
        "sid": NO_SESSION,
        "kind": "client",
    }
    form = {"grant_type": "password", "username": "eve", "password": PASSWORD, **extra}
    made = fortress.ask("POST", "/auth/token", data=form)
    assert (made.status_code, made.json()["scope"]) == (200, "predict read")
    eve = Caller(fortress, "eve", made.json(), "192.0.2.10")
    me = eve.ask("GET", "/auth/me").json()
    assert (me["subject"], me["scopes"]) == ("eve", ["predict", "read"])
    again = refresh(fortress, eve.tokens["refresh_token"], **extra)
    assert (again.status_code, again.json()["scope"]) == (200, "predict read")


def test_no_header_makes_somebody_else_of_a_caller(owners: list[Owner]) -> None:
    eve = owners[2].caller
    names = (
        "x-user",
        "x-user-id",
        "x-forwarded-user",
        "x-remote-user",
        "remote-user",
        "x-auth-subject",
        "from",
    )
    for name in names:
        answer = eve.service.ask("GET", "/auth/me", headers={**eve.bearer, name: "ada"})
        assert answer.json()["subject"] == "eve"
