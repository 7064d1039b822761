"""The Open Inference Protocol as its authors describe it, in the document that MLServer's package carries, driven against us.

All checks are on. What that document does not know of us is added to it here, and nothing else: each addition has its reason.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from schemathesis import GenerationMode
from schemathesis.specs.openapi.schemas import OpenApiSchema

from tests.client_environments import client_python
from tests.description.exerciser import SCOPES, Exerciser, ask_cases, described, operations_of
from tests.front_service import CATALOG, FLOWER, FrontService
from tests.oip_tensors import json_inputs

CASES, LEAST_CASES, OPERATIONS = 40, 480, 9
EXTENSIONS = ("infer_stream", "generate", "generate_stream")  # MLServer's own, beyond the protocol
MODELS = ["iris", "housing", "nobody"]
PROBLEM = "application/problem+json"
# Statuses that the protocol's authors do not mention.
BEYOND = {
    "400": "everything that is wrong with a request",
    "404": "a model or a version that is not there, also where it is asked whether it is ready",
    "406": "an answer that the caller does not take",
    "415": "a body that is neither JSON nor JSON with bytes behind it",
}


def published() -> dict[str, Any]:
    """The document, with what is wrong in it as JSON schema put right."""
    packages = next((client_python("mlserver").parents[1] / "lib").glob("python3*")) / "site-packages"
    text = (packages / "mlserver" / "rest" / "openapi" / "dataplane.json").read_text(encoding="utf-8")
    document: dict[str, Any] = json.loads(text.replace("/components/enums/", "/components/schemas/"))
    components = document["components"]
    components["schemas"] |= components.pop("enums", {})
    components["schemas"]["TensorData"] = {"type": "array"}  # said to be `bytes` otherwise, which is no type
    paths = document["paths"]
    document["paths"] = {path: paths[path] for path in paths if not path.endswith(EXTENSIONS)}
    return document


def of_ours(document: dict[str, Any]) -> dict[str, Any]:
    """With our models' names, our problems beside the protocol's errors, and what is beyond it."""
    error = {"type": "object", "required": ["error"], "properties": {"error": {"type": "string"}}}
    for item in document["paths"].values():
        for parameter in item.get("parameters", ()):
            if parameter["name"] == "model_name":
                parameter["schema"] = {"type": "string", "enum": MODELS}
        for operation in (value for name, value in item.items() if name != "parameters"):
            answers = operation["responses"]
            for status, reason in BEYOND.items():
                answers.setdefault(status, {"description": reason})
            for status in answers.keys() - {"200"}:
                answers[status]["content"] = {PROBLEM: {"schema": error}}
    return document


@pytest.fixture
def schema() -> OpenApiSchema:
    """Made when it is asked for: the document comes with a package that is installed for it."""
    return described(cases=CASES, only="^/v2", document=of_ours(published()))


# Numbers as small as a float can be make numpy warn; answers stay finite.
@pytest.mark.filterwarnings("ignore:.*encountered in:RuntimeWarning")
def test_every_route_holds_to_the_protocols_description(service: FrontService, schema: OpenApiSchema) -> None:
    exerciser = Exerciser(service)
    for operation in operations_of(schema):
        ask_cases(operation, exerciser, cases=CASES)
        if operation.body or operation.path_parameters:
            ask_cases(operation, exerciser, cases=CASES, mode=GenerationMode.NEGATIVE)
    assert len(exerciser.asked) == OPERATIONS
    assert exerciser.asked.total() >= LEAST_CASES, exerciser.asked


def test_a_whole_request_is_answered_as_the_protocol_describes(
    service: FrontService, schema: OpenApiSchema
) -> None:
    bearer = service.token(SCOPES)
    version = service.ask("GET", "/v2/models/iris", headers=bearer).json()["versions"][0]
    whole = {"id": "41", "inputs": json_inputs(CATALOG["iris"], [FLOWER])}
    asked = 0
    for operation in operations_of(schema):
        if operation.path.endswith("/infer"):
            named = {"model_name": "iris", "model_version": version}
            case = operation.Case(path_parameters=named, body=whole, media_type="application/json")
            answer = case.call(headers=bearer)
            assert answer.status_code == 200
            case.validate_response(answer)
            asked += 1
    assert asked == 2
