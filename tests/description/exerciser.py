"""Drives the API's own description against a worker: schemathesis makes the requests and judges the answers.

All of its checks are on. Everything goes through the front app in this process, with a real token; each case is counted.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.schemas import OpenApiSchema

from serving.http.openapi import openapi_document
from tests.front_service import CATALOG, FLOWER, FrontService

SEED = 20260102
PATIENCE_SECONDS = 120.0
SCOPES = "predict read feedback"
TAKEN = ["2xx", "401", "403", "404", "409", "429"]


REFUSED = ["400", "401", "403", "404", "405", "406", "409", "413", "415", "422", "428", "429", "5xx"]


def _small(paths: str, *also: str) -> dict[str, Any]:
    """What is larger than these routes take is refused, whether it fits the schema or not."""
    checks = {
        "positive_data_acceptance": {"expected-statuses": [*TAKEN, "413", *also]},
        "negative_data_rejection": {"expected-statuses": REFUSED},
    }
    return {"include-path-regex": paths, "checks": checks}


def _also_400(paths: str) -> dict[str, Any]:
    """What fits the schema may be refused there."""
    checks = {"positive_data_acceptance": {"expected-statuses": [*TAKEN, "400"]}}
    return {"include-path-regex": paths, "checks": checks}


EXCEPTIONS = [
    # RFC 6749, section 5.2: what fits the schema and is no token, password or client of ours is refused with 400.
    _small("^/auth/(token|refresh)$", "400"),
    _small("^/(login|auth/revoke)$"),
    # Which tensors a model takes is said by its metadata; a schema of tensors cannot say it.
    _also_400("^/v2/models/.*/infer$"),
    # Whether a truth is a number or a label is the matter of the model that answered, whose prediction is named.
    _also_400("^/feedback$"),
    # The protocol's verbs are there to be refused: the registry's alias decides.
    _also_400("^/v2/repository/models/"),
]

schemathesis.openapi.format(
    "date-time-local", st.datetimes().map(lambda moment: moment.isoformat(timespec="seconds"))
)


class Bridge:
    """The front app as schemathesis calls it, from its own event loop; the worker lives in the service's."""

    service: FrontService

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            raise NotImplementedError(scope["type"])
        message = await receive()
        for each in await asyncio.to_thread(self._answer, {**scope, "client": ("127.0.0.1", 1)}, message):
            await send(each)

    def _answer(self, scope: Any, message: Any) -> list[Any]:
        sent: list[Any] = []

        async def receive() -> Any:
            return message

        async def send(said: Any) -> None:
            sent.append(said)

        self.service.runner.run(self.service.worker.front(scope, receive, send))
        return sent


BRIDGE = Bridge()


def described(
    *, cases: int, only: str, document: dict[str, Any] | None = None, covering: bool = True
) -> OpenApiSchema:
    """The operations whose paths match, with so many random cases each besides those that cover every keyword."""
    config = SchemathesisConfig.from_dict(
        {
            "seed": SEED,
            "request-timeout": PATIENCE_SECONDS,
            "suppress-health-check": ["all"],
            "generation": {"deterministic": True, "max-examples": cases, "database": "none"},
            "phases": {"coverage": {"enabled": covering}},
            "operations": EXCEPTIONS,
        }
    )
    whole = openapi_document(list(CATALOG.values())) if document is None else document
    paths = {path: item for path, item in whole["paths"].items() if re.search(only, path)}
    schema = schemathesis.openapi.from_dict({**whole, "paths": paths}, config=config)
    schema.config.update(base_url="http://testserver")
    schema.app = BRIDGE
    return schema


def operations_of(schema: Any) -> list[Any]:
    """All of them, well made; schemathesis has no type that says so."""
    return [found.ok() for found in schema.get_all_operations()]


def ask_cases(
    operation: Any,
    ask: Callable[[schemathesis.Case], None],
    *,
    cases: int,
    mode: GenerationMode = GenerationMode.POSITIVE,
) -> None:
    """So many cases of one operation, the same ones every time."""

    @settings(
        max_examples=cases,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def each(case: schemathesis.Case) -> None:
        ask(case)

    each()


class Exerciser:
    """Asks and judges; `asked` counts cases by operation. Every other good case about a prediction is about a real one."""

    def __init__(self, service: FrontService) -> None:
        self._service = BRIDGE.service = service
        self._real = service.predict(FLOWER).json()["prediction_id"]
        self.asked: Counter[str] = Counter()

    def __call__(self, case: schemathesis.Case) -> None:
        self.asked[case.operation.label] += 1
        if self.asked[case.operation.label] % 2 and case.meta and case.meta.generation.mode.is_positive:
            self._name_a_real_prediction(case)
        bearer = self._service.token(SCOPES)["authorization"]
        case.call_and_validate(headers={"Authorization": bearer})

    def _name_a_real_prediction(self, case: schemathesis.Case) -> None:
        if case.operation.path == "/predictions/{id}":
            case.path_parameters["id"] = self._real
        if isinstance(case.body, dict) and "prediction_id" in case.body:
            case.body["prediction_id"] = self._real
