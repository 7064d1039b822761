"""KServe v1 as the front app serves it: the native route's rows and answers under other names."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.front_service import FLOWER, FrontService


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FrontService]:
    made = FrontService(tmp_path_factory.mktemp("v1"), models="iris")
    yield made
    made.close()


def pointers(answer: httpx.Response) -> set[str]:
    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    first = told["errors"][0]
    assert told["error"].startswith(f"{told['detail']}: {first['pointer']}: {first['detail']}")
    return {error["pointer"] for error in answer.json()["errors"]}


def test_kserve_v1_takes_rows_and_answers_predictions(service: FrontService) -> None:
    path = "/v1/models/iris:predict"
    answer = service.predict({"instances": [FLOWER, FLOWER]}, path).json()
    assert [row["prediction"] for row in answer["predictions"]] == [
        service.predict(FLOWER).json()["prediction"]
    ] * 2
    assert pointers(service.predict(FLOWER, path)) == {"/instances"}
    wrong = {**FLOWER, "sepal_length": -1}
    skipped = service.predict({"instances": [wrong, FLOWER], "on_error": "skip"}, path).json()
    assert skipped["predictions"][0] is None
    named = {"instances": [FLOWER], "signature_name": "serving_default"}  # as TensorFlow Serving's clients do
    assert service.predict(named, path).status_code == 200
    assert pointers(service.predict({**named, "signature_name": "regress"}, path)) == {"/signature_name"}
    assert "one object of the model" not in service.predict({**named, "inputs": []}, path).json()["error"]
    assert skipped["errors"][0]["pointer"] == "/instances/0/sepal_length"
