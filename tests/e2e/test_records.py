"""What is remembered, over a served process and its agent: truth becomes a figure, and what must not be there is nowhere."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from auth.passwords import Passwords
from modelkit.definition import load_catalog
from records.__main__ import main
from records.engine import open_engine
from records.migrate import upgrade
from records.tables import Prediction
from records.users import add_user
from tests.e2e.running_service import RunningService
from tests.e2e.scraped import total
from tests.e2e.stoppable_postgres import StoppablePostgres
from tests.e2e.waiting import until
from tests.every_text import places_of
from tests.tiny_features import example_features, write_snapshot
from tests.tiny_servables import write_tiny

CATALOG = load_catalog()
FLOWER = dict(CATALOG["iris"].examples[0])
BASKET = dict(CATALOG["basket"].examples[0])
PATIENCE_SECONDS = 30.0
ADA, PASSWORD, REQUEST = "ada-of-these-tests", "a plain sentence of mine", "request-of-ada-of-these-tests"


def serve(folder: Path, database_url: str, **settings: str) -> RunningService:
    """Tiny models from a folder, so that no registry is needed."""
    for name in ("iris", "basket", "housing"):
        write_tiny(CATALOG[name], folder / "baked" / name)
    view = CATALOG["basket"].view
    assert view is not None
    write_snapshot(view, folder / "store", example_features(CATALOG["basket"]))
    models = {"MODELS": "iris,basket,housing", "MODEL_SOURCE": "path", "MODEL_PATH": str(folder / "baked")}
    addresses = {"tracking_uri": "sqlite:///none.db", "database_url": database_url}
    return RunningService(folder, **addresses, **models, **settings)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    folder = tmp_path_factory.mktemp("records")
    database_url = f"sqlite:///{folder / 'records.db'}"
    upgrade(database_url)
    with serve(folder, database_url, LOG_REDACT_FIELDS="basket.user_id", MODEL_LOG="true") as running:
        yield running


def predict(service: RunningService, model: str, row: dict[str, Any], token: str | None = None) -> str:
    with service.client(token) as client:
        answer = client.post(f"/predict/{model}", json=row, headers={"x-request-id": REQUEST})
        return str(answer.raise_for_status().json()["prediction_id"])


def shipped(engine: Engine) -> int:
    with engine.connect() as connection:
        return connection.scalar(select(func.count(Prediction.id))) or 0


def in_files(folder: Path, needle: str) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and needle.encode() in _content(path)]


def _content(path: Path) -> bytes:
    """Nothing of a segment that gets another name meanwhile."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def test_truth_becomes_a_figure_of_its_version(service: RunningService) -> None:
    flower = predict(service, "iris", FLOWER)
    house = predict(service, "housing", dict(CATALOG["housing"].examples[0]))
    with service.client(service.token("feedback")) as client:
        truths = [{"prediction_id": flower, "actual": "setosa"}, {"prediction_id": house, "actual": 1.0}]
        told = client.post("/feedback", json={"feedback": truths})
        assert (told.status_code, told.json()["accepted"]) == (202, 2)

    def figures() -> list[float]:
        port = service.agent_metrics_port
        return [
            total(port, "slipway_feedback_total", model="iris", result="scored"),
            total(port, "slipway_model_correct_total", model="iris"),
            total(port, "slipway_model_abs_error_count", model="housing"),
        ]

    until(lambda: figures() == [1, 1, 1], seconds=PATIENCE_SECONDS, what=f"both are scored: {figures()}")
    assert total(service.agent_metrics_port, "slipway_model_abs_error_sum", model="housing") > 0
    with service.client() as client:
        truth = client.get(f"/predictions/{house}").json()["truth"]
    assert truth["actual"] == 1.0
    assert truth["absolute_error"] > 0


def test_what_is_redacted_is_in_no_spool_no_database_and_no_log(service: RunningService) -> None:
    agent = service.wait_for_agent()
    os.kill(agent, signal.SIGSTOP)
    name = predict(service, "basket", BASKET)
    spooled = until(lambda: in_files(service.spool, name), seconds=PATIENCE_SECONDS, what="it is spooled")
    assert in_files(service.spool, BASKET["user_id"]) == []
    assert b'"user_id":null' in spooled[0].read_bytes()
    os.kill(agent, signal.SIGCONT)
    with service.client() as client:
        path = f"/predictions/{name}"
        until(lambda: client.get(path).status_code == 200, seconds=PATIENCE_SECONDS, what="it is shipped")
        record = client.get(path).json()
    assert (record["features"]["user_id"], record["withheld"]) == (None, ["user_id"])
    engine = open_engine(service.database_url)
    assert places_of(engine, BASKET["user_id"]) == []
    engine.dispose()
    until(lambda: name in service.log_tail(10_000), seconds=PATIENCE_SECONDS, what="the model's log tells it")
    assert f'"{BASKET["user_id"]}"' not in service.log_tail(10_000)


def test_who_was_erased_while_records_lay_in_the_spool_is_found_nowhere_afterwards(tmp_path: Path) -> None:
    postgres = StoppablePostgres()
    upgrade(postgres.url)
    engine = open_engine(postgres.url)
    add_user(engine, username=ADA, password_hash=Passwords().hash(PASSWORD), scopes="predict read feedback")
    with serve(tmp_path, postgres.url) as service:
        with service.client() as client:
            credentials = {"username": ADA, "password": PASSWORD}
            token = client.post("/login", json=credentials).raise_for_status().json()["access_token"]
        first = predict(service, "iris", FLOWER, token)
        until(lambda: shipped(engine) == 1, seconds=PATIENCE_SECONDS, what="the first is shipped")
        agent = service.wait_for_agent()
        os.kill(agent, signal.SIGSTOP)
        engine.dispose()
        postgres.stop()
        late = predict(service, "iris", {**FLOWER, "sepal_length": 5.5}, token)
        until(lambda: in_files(service.spool, late), seconds=PATIENCE_SECONDS, what="the second is spooled")
        assert in_files(service.spool, ADA)
        postgres.start()
        assert main(["erase", ADA, "--database-url", postgres.url, "--actor", "operator"]) == 0
        assert places_of(engine, ADA, REQUEST) == []
        os.kill(agent, signal.SIGCONT)
        until(lambda: shipped(engine) == 2, seconds=PATIENCE_SECONDS, what="the second is shipped")
    assert places_of(engine, ADA, REQUEST) == []
    with engine.connect() as connection:
        rows = connection.execute(select(Prediction.prediction_id, Prediction.subject)).all()
    assert {row.prediction_id for row in rows} == {first, late}
    assert {row.subject for row in rows} == {"erased/1"}
    engine.dispose()
