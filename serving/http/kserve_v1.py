"""KServe's first protocol: `{"instances": [...]}` in, `{"predictions": [...]}` out, with the native route's rows and answers."""

from __future__ import annotations

from functools import partial
from typing import Any

import orjson

from modelkit.errors import FieldError, InvalidRequest
from serving.http.exchange import Exchange, Reply
from serving.http.native import answer_headers, row_answers, row_errors
from serving.http.request_rows import Limits, read_rows
from serving.inference import Inference
from serving.loaded_model import LoadedModel
from serving.requested_rows import RequestRows


class KServeV1Routes:
    """The handler of `/v1/models/{model}:predict`."""

    def __init__(self, inference: Inference, limits: Limits) -> None:
        self._inference, self._limits = inference, limits

    async def predict(self, exchange: Exchange, name: str) -> Reply:
        """POST: rows in, what the native route answers for each out; `errors` where rows were skipped."""
        bucket = self._inference.admit(exchange.caller, name)
        read = partial(self._rows, await exchange.json_body())
        model, request, answers = await self._inference.answer(exchange, name, bucket, read)
        body: dict[str, Any] = {"predictions": row_answers(model, request, answers)}
        if request.errors:
            body["errors"] = row_errors(request)
        return Reply(200, orjson.dumps(body), headers=answer_headers(model, answers))

    def _rows(self, body: bytes, model: LoadedModel) -> RequestRows:
        if b'"instances"' not in body:
            missing = FieldError(pointer="/instances", detail="Field required")
            raise InvalidRequest('The body must be {"instances": [...]}', errors=[missing])
        return read_rows(model.reader, body, self._limits)
