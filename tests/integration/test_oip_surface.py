"""Who may ask what by the Open Inference Protocol: the same as by every other way."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.front_service import CATALOG, FLOWER, FrontService
from tests.oip_tensors import json_inputs

INFER = "/v2/models/{}/infer"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FrontService]:
    made = FrontService(tmp_path_factory.mktemp("surface"))
    yield made
    made.close()


def test_the_same_scope_the_same_model_and_the_same_limit_hold(service: FrontService) -> None:
    body = json.dumps({"inputs": json_inputs(CATALOG["iris"], [FLOWER])}).encode()
    for scopes, status in (("predict:iris", 200), ("predict:housing", 403), ("read", 403)):
        assert (
            service.ask("POST", INFER.format("iris"), content=body, headers=service.token(scopes)).status_code
            == status
        )
    unknown = service.ask("POST", INFER.format("nothing"), content=body, headers=service.token())
    assert (unknown.status_code, unknown.json()["code"]) == (404, "model-not-found")


def test_anybody_may_ask_whether_it_is_ready_and_nobody_which_versions(service: FrontService) -> None:
    assert service.ask("GET", "/v2/health/ready").json() == {"live": True, "ready": True}
    assert service.ask("GET", "/v2/models/iris/ready").json() == {"name": "iris", "ready": True}
    assert service.ask("GET", "/v1/models/iris").json() == {"name": "iris", "ready": True}
    for path in ("/v2/models/iris", "/v1/models"):
        assert service.ask("GET", path).status_code == 401
    index = service.ask("POST", "/v2/repository/index", headers=service.token()).json()
    assert {each["name"] for each in index} == set(CATALOG)
