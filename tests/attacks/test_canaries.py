"""Secrets and personal data stay where they belong (A30, T17): a worker and its agent are fed with values that occur
nowhere else, and none of them stands in a log, a metric, an answer or the `repr` of an object afterwards.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import make_url

from auth.login import Account
from auth.sessions import Tokens
from auth.tokens import IssuedToken
from records.users import UserRow
from serving.http.identity import Credentials, Refreshing
from serving.http.oauth_parameters import ClientCredentials
from serving.settings import Settings
from tests.attacks.canaries import FEATURE, PASSWORD, SECRET, VALUES, Canaries, people, settings_of
from tests.attacks.corpus.mints import own_pair, pem
from tests.e2e.running_service import RunningService
from tests.e2e.waiting import until
from tests.front_service import FLOWER
from tests.redis_server import RedisServer

ROW = {**FLOWER, "sepal_length": FEATURE}
PATHS = (
    *("/predict/iris", "/predict", "/predict_iris", "/models", "/models/iris", "/models/iris/history"),
    *("/auth/me", "/auth/sessions", "/auth/logout", "/auth/token", "/auth/refresh", "/auth/revoke", "/login"),
    *("/predictions/x", "/auth/sessions/x", "/.well-known/jwks.json", "/openapi.json", "/docs", "/readyz"),
    *("/metrics", "/", "/schema.json", "/nowhere"),
)


@pytest.fixture
def canaries(tmp_path: Path, migrated_postgres_url: str, redis_server: RedisServer) -> Iterator[Canaries]:
    url = make_url(migrated_postgres_url).set(password=VALUES["database password"])
    database_url = url.render_as_string(hide_password=False)
    people(database_url)
    addresses = {"tracking_uri": "http://127.0.0.1:9", "database_url": database_url}
    with RunningService(tmp_path, **addresses, **settings_of(tmp_path, redis_server)) as service:
        service.wait_for_agent()
        canaries = Canaries(service)
        yield canaries
        canaries.client.close()


def test_no_secret_is_seen_where_it_does_not_belong(canaries: Canaries) -> None:
    service = canaries.service
    tokens = canaries.tokens("/login", json={"username": "ada", "password": PASSWORD})
    bearer = {"authorization": f"Bearer {tokens['access_token']}"}
    answered = ask_well(canaries, tokens, bearer)
    ask_badly(canaries, bearer)
    own = until(lambda: shipped(canaries, bearer, answered), seconds=20, what="the record is shipped")
    metrics = [
        httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=10)
        for port in (service.metrics_port, service.agent_metrics_port)
    ]
    assert service.stop() == 0
    log = (service.folder / "service.log").read_text(errors="replace")
    assert own["features"]["sepal_length"] == FEATURE
    assert log.count("request.refused") >= 20
    assert "login.refused" in log
    assert canaries.found_in(log) == []
    assert [canaries.found_in(scrape.text) for scrape in metrics] == [[], []]
    leaky = {
        (str(answer.request.url), *canaries.found_in(answer.text + repr(answer.headers)))
        for answer in canaries.answers
    }
    assert {names for names in leaky if len(names) > 1} == set()
    assert pem(own_pair("ES256").key).splitlines()[1] not in log


def ask_well(canaries: Canaries, tokens: dict[str, str], bearer: dict[str, str]) -> str:
    answered = canaries.ask("POST", "/predict/iris", json=ROW, headers=bearer)
    assert answered.status_code == 200, answered.text
    for path in ("/predict", "/predict_iris"):
        canaries.ask("POST", path, json=ROW, headers=bearer)
    canaries.tokens("/auth/refresh", json={"refresh_token": tokens["refresh_token"]})
    named = {"client_id": "shop", "client_secret": SECRET}
    canaries.tokens("/auth/token", data={"grant_type": "client_credentials", **named})
    again = canaries.tokens(
        "/auth/token", data={"grant_type": "password", "username": "ada", "password": PASSWORD}
    )
    for name in ("access_token", "refresh_token"):
        canaries.ask("POST", "/auth/revoke", data={"token": again[name], **named})
    return str(answered.json()["prediction_id"])


def ask_badly(canaries: Canaries, bearer: dict[str, str]) -> None:
    """Everything wrong with every address: no token, a cut one, one in the wrong place, and bodies of every kind."""
    token = bearer["authorization"]
    odd = json.dumps({**FLOWER, "sepal_length": VALUES["odd feature"]})
    form = f"grant_type=password&username={VALUES['password as a name']}&password={VALUES['wrong password']}"
    bodies: list[dict[str, Any]] = [
        {"content": odd, "headers": {"content-type": "application/json"}},
        {
            "content": json.dumps({"instances": [ROW, json.loads(odd)]}),
            "headers": {"content-type": "application/json"},
        },
        {"content": form, "headers": {"content-type": "application/x-www-form-urlencoded"}},
        {"content": odd[:-1], "headers": {"content-type": "text/plain"}},
    ]
    for path in PATHS:
        for authorization in (
            {},
            bearer,
            {"authorization": token + "x"},
            {"authorization": f"Basic {VALUES['wrong password']}"},
        ):
            if path != "/auth/logout" or authorization is not bearer:
                canaries.ask(
                    "GET", path, headers=authorization, params={"access_token": VALUES["wrong password"]}
                )
                for body in bodies:
                    canaries.ask(
                        "POST", path, content=body["content"], headers={**body["headers"], **authorization}
                    )
    for name in ("ada", VALUES["password as a name"]):
        for secret in ("password", "username"):
            canaries.ask(
                "POST", "/login", json={"username": name, "password": "x", secret: VALUES["wrong password"]}
            )
    canaries.ask("POST", "/auth/refresh", json={"refresh_token": VALUES["wrong password"], "more": SECRET})


def shipped(canaries: Canaries, bearer: dict[str, str], prediction_id: str) -> dict[str, Any]:
    answer = canaries.ask("GET", f"/predictions/{prediction_id}", own=True, headers=bearer)
    return dict(answer.json()) if answer.status_code == 200 else {}


def test_no_object_shows_its_secret() -> None:
    secret = "canary-of-an-object"
    user = {"username": "ada", "password_hash": secret, "scopes": "", "disabled": False, "kind": "person"}
    names = ("database_url", "redis_url", "jwt_secret_key", "features_url")
    settings: dict[str, Any] = {"slipway_env": "dev", **dict.fromkeys(names, f"redis://:{secret}@h")}
    made = (
        Account(user_id=1, **user),  # type: ignore[arg-type]
        UserRow(id=1, **user),  # type: ignore[arg-type]
        Tokens(access_token=secret, token_type="Bearer", expires_in=1, scope="", refresh_token=secret),
        IssuedToken(access_token=secret, expires_in=1, scope=""),
        Credentials(username="ada", password=secret),
        Refreshing(refresh_token=secret),
        ClientCredentials("shop", secret),
        Settings(**settings),
    )
    assert [type(each).__name__ for each in made if secret in repr(each) + str(each)] == []
