"""The Open Inference Protocol as its authors describe it, in the document that MLServer's package carries, driven against us.

That document says nothing of tokens, limits or problem types, so only answers that it describes are held to it: their
schemas, and that nothing it allows breaks the service.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance

from tests.client_environments import client_python
from tests.description.exerciser import BRIDGE
from tests.front_service import CATALOG, FLOWER, FrontService
from tests.oip_tensors import json_inputs

LEAST_CASES, OPERATIONS = 200, 9
EXTENSIONS = ("infer_stream", "generate", "generate_stream")  # MLServer's own, beyond the protocol


def published() -> dict[str, Any]:
    """The document, with what is wrong in it as JSON schema put right, and our model's name for a model's."""
    packages = next((client_python("mlserver").parents[1] / "lib").glob("python3*")) / "site-packages"
    text = (packages / "mlserver" / "rest" / "openapi" / "dataplane.json").read_text(encoding="utf-8")
    document: dict[str, Any] = json.loads(text.replace("/components/enums/", "/components/schemas/"))
    components = document["components"]
    components["schemas"] |= components.pop("enums", {})
    components["schemas"]["TensorData"] = {"type": "array"}  # said to be `bytes` otherwise, which is no type
    paths = document["paths"]
    document["paths"] = {path: paths[path] for path in paths if not path.endswith(EXTENSIONS)}
    for item in document["paths"].values():
        for parameter in item.get("parameters", ()):
            if parameter["name"] == "model_name":
                parameter["schema"] = {"type": "string", "enum": ["iris"]}
    return document


def schema_of(document: dict[str, Any]) -> Any:
    schema = schemathesis.openapi.from_dict(document)
    schema.config.update(base_url="http://testserver")
    schema.app = BRIDGE
    return schema


def judged(answer: schemathesis.Response, case: schemathesis.Case) -> None:
    case.validate_response(answer, checks=[not_a_server_error])
    if answer.status_code == 200:
        case.validate_response(answer, checks=[response_schema_conformance])
    elif answer.status_code == 400:
        assert isinstance(answer.json()["error"], str)


def test_answers_are_what_the_protocol_describes(service: FrontService) -> None:
    BRIDGE.service, bearer, asked = service, service.token("predict read"), Counter[int]()
    operations = [found.ok() for found in schema_of(published()).get_all_operations()]
    for operation in operations:

        @settings(
            max_examples=60,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def ask(case: schemathesis.Case) -> None:
            answer = case.call(headers=bearer)
            asked[answer.status_code] += 1
            judged(answer, case)

        ask()
        if operation.path.endswith("/infer"):
            version = service.ask("GET", "/v2/models/iris", headers=bearer).json()["versions"][0]
            whole = {"id": "41", "inputs": json_inputs(CATALOG["iris"], [FLOWER])}
            named = {"model_name": "iris", "model_version": version}
            case = operation.Case(path_parameters=named, body=whole, media_type="application/json")
            answer = case.call(headers=bearer)
            assert answer.status_code == 200
            judged(answer, case)
    assert len(operations) >= OPERATIONS
    assert asked.total() >= LEAST_CASES, asked
