"""A split over HTTP: who answered is in the header and in the record, and a request's key is kept as a digest."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from serving.loaded_model import version_of_digest
from serving.splitting import Split, split_key_of
from tests.front_service import CATALOG, FLOWER, PATIENCE_SECONDS, FrontService
from tests.tiny_servables import write_tiny

SHARE = 0.4


@pytest.fixture(scope="module", params=["subject", "key"])
def compared(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[FrontService]:
    """Two versions of iris, one of them for two callers of five."""
    folder = tmp_path_factory.mktemp("compared")
    write_tiny(CATALOG["iris"], folder / "challengers" / "iris", bias=3.0)
    service = FrontService(
        folder, challenger_path=folder / "challengers", ab_weights="iris=40", ab_split_by=request.param
    )
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while about(service)["state"] != "ready":
        assert time.monotonic() < give_up_at
    yield service
    service.close()


def about(service: FrontService) -> dict[str, object]:
    listed = service.ask("GET", "/models", headers=service.token()).json()["models"]
    (challenger,) = (model["challenger"] for model in listed if model["name"] == "iris")
    assert all(model["challenger"] is None for model in listed if model["name"] != "iris")
    return dict(challenger)


def splits_by_key(service: FrontService) -> bool:
    return service.settings.ab_split_by == "key"


def test_the_challenger_is_shown_beside_production(compared: FrontService) -> None:
    shown = about(compared)
    assert (shown["state"], shown["weight"], shown["reason"]) == ("ready", SHARE, "")
    alone = compared.ask("GET", "/models/iris", headers=compared.token()).json()
    assert alone["challenger"] == shown
    assert alone["loaded"] != shown["version"]


def test_who_answered_is_in_the_header_and_in_the_record(compared: FrontService) -> None:
    challenger, split = about(compared)["version"], Split("iris", SHARE)
    for caller in ("ada", "bob", "carol", "dan", "eve"):
        answer = compared.predict(FLOWER, **compared.token(of=caller))
        version = answer.headers["x-model-version"]
        assert answer.json()["model_version"] == version
        assert (version == challenger) == split.takes(caller)
        (record,) = (
            each for each in compared.logged() if each.prediction_id == answer.headers["x-prediction-id"]
        )
        assert (record.version, record.subject, record.split_key) == (version, caller, "")
        assert record.arm == ("challenger" if version == challenger else "production")


def test_a_request_that_names_its_version_is_no_arm_of_the_split(compared: FrontService) -> None:
    body = {
        "inputs": [
            {"name": name, "shape": [1], "datatype": "FP64", "data": [value]}
            for name, value in FLOWER.items()
        ]
    }
    path = f"/v2/models/iris/versions/{about(compared)['version']}/infer"
    answer = compared.ask("POST", path, json=body, headers=compared.token())
    assert answer.status_code == 200, answer.text
    assert {record.arm for record in compared.logged()[-1:]} == {"named"}


def test_a_key_counts_only_where_it_is_asked_for(compared: FrontService) -> None:
    challenger, split = about(compared)["version"], Split("iris", SHARE)
    for key in ("cart-1", "cart-2", "cart-3", "cart-4"):
        answer = compared.predict(FLOWER, **{"x-split-key": key})
        (record,) = (
            each for each in compared.logged() if each.prediction_id == answer.headers["x-prediction-id"]
        )
        kept = split_key_of(key.encode()) if splits_by_key(compared) else ""
        assert record.split_key == kept
        assert (answer.headers["x-model-version"] == challenger) == split.takes(kept or "ada")


def test_a_cached_answer_is_the_answer_of_its_version(compared: FrontService) -> None:
    split = Split("iris", SHARE)
    callers = [f"caller-{number}" for number in range(20)]
    row = {**FLOWER, "sepal_length": 6.125}
    said = {
        caller: compared.predict(row, **compared.token(of=caller)).json()["probabilities"]
        for caller in callers
    }
    assert len({str(said[caller]) for caller in callers if split.takes(caller)}) == 1
    assert len({str(answer) for answer in said.values()}) == 2


def test_a_worker_without_weights_loads_no_challenger(service: FrontService) -> None:
    listed = service.ask("GET", "/models", headers=service.token()).json()["models"]
    assert {model["challenger"] for model in listed} == {None}


def test_a_challenger_that_is_missing_is_no_reason_not_to_be_ready(tmp_path: Path) -> None:
    service = FrontService(
        tmp_path, challenger_path=tmp_path / "nothing", ab_weights="iris=100", models="iris"
    )
    assert service.ask("GET", "/readyz").status_code == 200
    answer = service.predict(FLOWER)
    assert answer.headers["x-model-version"] == version_of_digest(
        service.worker.board.current("iris").servable.digest
    )
    assert 'slipway_challenger_missing_total{model="iris"}' in service.series()
    service.close()


def test_two_keys_are_refused_where_keys_count(compared: FrontService) -> None:
    given = [("x-split-key", "cart-1"), ("x-split-key", "cart-2"), *compared.token().items()]
    answer = compared.ask("POST", "/predict/iris", json=FLOWER, headers=given)
    assert answer.status_code == (400 if splits_by_key(compared) else 200), answer.text
