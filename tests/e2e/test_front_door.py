"""What a user meets: logging in, tokens and their limits, BentoML's own client, and metrics that Prometheus can read."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import bentoml
import httpx
import pytest
from bentoml.exceptions import BentoMLException

from tests.architecture.source_tree import ROOT
from tests.e2e.logged_rows import logged, wait_until_shipped
from tests.e2e.running_service import RunningService
from tests.e2e.scraped import scrape
from tests.e2e.trained_registry import CATALOG, KNOBS, TrainedRegistry
from tests.e2e.waiting import until

PASSWORD = "a plain sentence of mine"
OF_BENTOML = pytest.mark.filterwarnings("ignore")  # its client's imports warn
ROW = CATALOG["iris"].examples[0]


@pytest.fixture(scope="module")
def service(
    trained_registry: TrainedRegistry, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningService]:
    """One for all of this module: nothing here stops anything."""
    folder = tmp_path_factory.mktemp("front-door")
    tracking_uri, database_url = trained_registry.copy(folder)
    addresses = {"tracking_uri": tracking_uri, "database_url": database_url}
    with RunningService(folder, MODELS=",".join(KNOBS), **addresses) as service:
        service.wait_for_agent()
        yield service


def ask(service: RunningService, token: str, model: str = "iris") -> httpx.Response:
    with service.client(token) as client:
        return client.post(f"/predict/{model}", json=dict(CATALOG[model].examples[0]))


@contextmanager
def bento_client(url: str, **options: Any) -> Iterator[Any]:
    """Its methods are those of the service it finds."""
    with bentoml.SyncHTTPClient(url, **options) as client:
        yield client
        client._temp_dir.cleanup()  # left to the garbage collector otherwise, with a warning


def create_user(service: RunningService, name: str, scopes: str) -> None:
    command = [sys.executable, "-m", "auth", "create-user", name, "--scopes", scopes]
    subprocess.run(
        [*command, "--database-url", service.database_url],
        cwd=ROOT,
        input=f"{PASSWORD}\n",
        text=True,
        check=True,
    )


def log_in(
    service: RunningService, name: str, password: str = PASSWORD, headers: Mapping[str, str] | None = None
) -> httpx.Response:
    credentials = {"username": name, "password": password}
    return httpx.post(f"{service.url}/login", json=credentials, headers=headers, timeout=10)


def code(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


def test_a_user_made_on_the_command_line_logs_in_and_predicts(service: RunningService) -> None:
    create_user(service, "grace", "predict:iris")
    token = log_in(service, "grace").raise_for_status().json()["access_token"]
    answer = ask(service, token)
    assert answer.status_code == 200
    assert code(ask(service, token, "food-delivery")) == (403, "insufficient-scope")
    wait_until_shipped(service.spool)
    assert answer.json()["prediction_id"] in logged(service.database_url)


def test_nobody_is_believed_about_an_address_not_even_on_this_machine(service: RunningService) -> None:
    create_user(service, "edsger", "predict")
    log_in(service, "edsger", headers={"X-Forwarded-For": "203.0.113.9"}).raise_for_status()
    tokens = log_in(service, "edsger").raise_for_status().json()
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    answer = httpx.get(f"{service.url}/auth/sessions", headers=bearer, timeout=10)
    assert [login["address"] for login in answer.json()["sessions"]] == ["127.0.0.1", None]


def test_a_disabled_user_is_out_with_the_tokens_that_are_there(service: RunningService) -> None:
    create_user(service, "barbara", "predict")
    tokens = log_in(service, "barbara").raise_for_status().json()
    ask(service, tokens["access_token"]).raise_for_status()
    command = [sys.executable, "-m", "auth", "disable-user", "barbara"]
    subprocess.run([*command, "--database-url", service.database_url], cwd=ROOT, check=True)

    def is_out() -> bool:
        return ask(service, tokens["access_token"]).status_code == 401

    until(is_out, seconds=20, what="the token of a disabled user is refused")
    assert code(ask(service, tokens["access_token"])) == (401, "token-revoked")
    assert code(log_in(service, "barbara")) == (401, "wrong-credentials")
    spent = {"refresh_token": tokens["refresh_token"]}
    assert code(httpx.post(f"{service.url}/auth/refresh", json=spent)) == (400, "invalid-grant")


def test_a_wrong_password_is_refused(service: RunningService) -> None:
    create_user(service, "linus", "predict")
    assert code(log_in(service, "linus", "another sentence of mine")) == (401, "wrong-credentials")


def test_a_token_of_another_scope_is_refused_with_403(service: RunningService) -> None:
    assert code(ask(service, service.token("read"))) == (403, "insufficient-scope")


def test_a_token_that_has_expired_is_refused_with_401(service: RunningService) -> None:
    assert code(ask(service, service.token(ttl_seconds=60, age_seconds=120))) == (401, "token-expired")


@OF_BENTOML
def test_bentos_own_client_gets_the_body_that_http_gives(service: RunningService) -> None:
    for model in KNOBS:
        with bento_client(service.url, token=service.token()) as client:
            method = getattr(client, f"predict_{CATALOG[model].package}")
            answer = method(dict(CATALOG[model].examples[0]))
        same = ask(service, service.token(), model).json()
        assert set(answer) == set(same)
        own = {"prediction_id": answer["prediction_id"], "cached": answer["cached"]}
        assert answer == same | own
        wait_until_shipped(service.spool)
        assert answer["prediction_id"] in logged(service.database_url)


@OF_BENTOML
def test_bentos_own_client_is_refused_without_a_token_or_scope(service: RunningService) -> None:
    with bento_client(service.url, token=service.token("read")) as client:
        with pytest.raises(BentoMLException) as refused:
            client.predict_iris(dict(ROW))
        assert refused.value.error_code == 403
        del client.client.headers["authorization"]
        with pytest.raises(BentoMLException) as refused:
            client.predict_iris(dict(ROW))
        assert refused.value.error_code == 401
    for path in (
        "/schema.json",
        "/predict_iris",
    ):  # a client made without a token gets no further than the first
        assert code(httpx.get(f"{service.url}{path}")) == (401, "unauthenticated")


@pytest.mark.parametrize("place", ["api", "metrics", "agent"])
def test_prometheus_can_read_every_metrics_endpoint(service: RunningService, place: str) -> None:
    ask(service, service.token()).raise_for_status()
    port = {
        "api": service.api_port,
        "metrics": service.metrics_port,
        "agent": service.agent_metrics_port,
    }[place]

    def families() -> set[str]:
        return {family.name for family in scrape(port) if family.name.startswith("slipway_")}

    wanted = {"slipway_agent_records", "slipway_registry_polls"}
    if place != "agent":
        wanted = {"slipway_predictions", "slipway_http_requests", "slipway_model_info", "slipway_agent_up"}
    until(lambda: wanted <= families(), seconds=20, what=f"{wanted} in {families()}")
    assert all(family.documentation and family.type != "unknown" for family in scrape(port))
