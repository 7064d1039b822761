"""KServe's first protocol: `{"instances": [...]}` in, `{"predictions": [...]}` out, with the native route's rows and answers."""

from __future__ import annotations

from collections.abc import Awaitable
from functools import partial

import orjson

from modelkit.errors import FieldError, InvalidRequest
from serving.http.departures import unless_gone
from serving.http.exchange import Exchange, Reply
from serving.http.native import answer_headers, row_errors, written_rows
from serving.http.request_rows import V1, Limits, read_many_in_turns
from serving.inference import Inference
from serving.loaded_model import LoadedModel
from serving.requested_rows import RequestRows
from serving.turns import LARGE_BODY_BYTES


class KServeV1Routes:
    """The handler of `/v1/models/{model}:predict`."""

    def __init__(self, inference: Inference, limits: Limits) -> None:
        self._inference, self._limits = inference, limits

    async def predict(self, exchange: Exchange, name: str) -> Reply:
        """POST: rows in, what the native route answers for each out; `errors` where rows were skipped."""
        bucket = self._inference.admit(exchange.caller, name)
        body = await exchange.json_body()
        answering = self._inference.answer(exchange, name, bucket, partial(self._rows, body))
        if len(body) > LARGE_BODY_BYTES:
            answering = unless_gone(exchange, answering)
        model, request, answers = await answering
        rows = await written_rows(model, request, answers, self._inference.turns)
        errors = b',"errors":%b' % orjson.dumps(row_errors(request)) if request.errors else b""
        return Reply(200, b'{"predictions":%b%b}' % (rows, errors), headers=answer_headers(model, answers))

    def _rows(self, body: bytes, model: LoadedModel) -> RequestRows | Awaitable[RequestRows]:
        if b'"instances"' not in body:
            missing = FieldError(pointer="/instances", detail="Field required")
            raise InvalidRequest('The body must be {"instances": [...]}', errors=[missing])
        return read_many_in_turns(model.reader, body, self._limits, self._inference.turns, V1)
