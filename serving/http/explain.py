"""POST /explain/{model}: what the fields of a row have to do with its prediction."""

from __future__ import annotations

from functools import partial
from typing import Any
from urllib.parse import parse_qsl

import orjson

from modelkit.errors import InvalidRequest
from modelkit.explanation import By
from serving.explain.explanations import Asked, Explained, Explanations
from serving.http.exchange import Exchange, Reply
from serving.http.request_rows import Limits, read_rows
from serving.inference import Inference
from serving.loaded_model import LoadedModel
from serving.requested_rows import RequestRows


class ExplainRoutes:
    """Rows come in as they do for predictions, few at a time; nothing goes into the prediction log."""

    def __init__(self, inference: Inference, explanations: Explanations, limits: Limits) -> None:
        self._inference, self._explanations, self._limits = inference, explanations, limits

    async def explain(self, exchange: Exchange, name: str) -> Reply:
        by = _wanted(exchange.scope.get("query_string", b""))
        bucket = self._inference.admit(exchange.caller, name)
        body = await exchange.json_body()
        ready = await self._inference.ready(exchange, name, bucket, partial(self._rows, body))
        model, request = ready.model, ready.request
        asked = Asked(exchange.caller.subject, exchange.deadline)
        stages = exchange.stages
        if stages is not None:
            stages.ended("read")
            stages.asked(model.name, model.version, len(request.rows))
        found = await self._explanations.of_rows(model, request.rows, by, asked)
        if stages is not None:
            stages.ended("explanation")
            stages.all_cached = all(each.cached for each in found)
        written = _many(model, request, found) if request.is_batch else _one(model, found[0])
        hit = b"hit" if all(each.cached for each in found) else b"miss"
        headers = ((b"x-model-version", model.version_header), (b"x-cache", hit))
        return Reply(200, orjson.dumps(written), headers=headers)

    def _rows(self, body: bytes, model: LoadedModel) -> RequestRows:
        return read_rows(model.reader, body, self._limits)


def _wanted(query: bytes) -> By:
    """Raises InvalidRequest for any query but `by=fields` and `by=features`."""
    if not query:
        return By.FIELDS
    given = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    if len(given) == 1 and given[0][0] == "by" and given[0][1] in set(By):
        return By(given[0][1])
    raise InvalidRequest("The query may be by=fields or by=features, and nothing else")


def _one(model: LoadedModel, explained: Explained) -> dict[str, Any]:
    found = explained.explanation
    return {
        "prediction": found.prediction,
        "value": found.value,
        "units": model.definition.units,
        "base_value": found.base_value,
        "contributions": found.contributions,
        "standard_error": found.standard_error,
        "by": found.by,
        "method": found.method,
        "background": {"rows": found.background_rows, "source": found.background_source},
        "model": model.name,
        "model_version": model.version,
        "cached": explained.cached,
    }


def _many(model: LoadedModel, request: RequestRows, found: list[Explained]) -> dict[str, Any]:
    """`explanations` has one entry per row of the request, null for a row that was skipped."""
    explanations: list[dict[str, Any] | None] = [None] * request.size
    for place, explained in zip(request.places, found, strict=True):
        explanations[place] = _one(model, explained)
    return {
        "model": model.name,
        "model_version": model.version,
        "explanations": explanations,
        "errors": [
            {"pointer": item.pointer, "detail": item.detail, "row": item.row} for item in request.errors
        ],
    }
