"""The typed APIs, which BentoML answers, do what the API's description says, over HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import schemathesis

from tests.description.exerciser import SCOPES, ask_cases, described, operations_of
from tests.e2e.running_service import RunningService
from tests.e2e.tiny_service import tiny_service

MODELS = ["food-delivery", "housing", "iris", "olist-delivery", "order-delivery"]
CASES = 40


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    with tiny_service(tmp_path_factory.mktemp("typed"), MODELS) as running:
        yield running


@pytest.mark.parametrize("model", MODELS)
def test_a_typed_api_holds_to_its_description(service: RunningService, model: str) -> None:
    schema = described(cases=CASES, only=f"^/predict_{model.replace('-', '_')}$")
    schema.app = None
    schema.config.update(base_url=service.url)
    (operation,) = operations_of(schema)
    bearer = f"Bearer {service.token(*SCOPES.split())}"

    def ask(case: schemathesis.Case) -> None:
        case.call_and_validate(headers={"Authorization": bearer})

    ask_cases(operation, ask, cases=CASES)
