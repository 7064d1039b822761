"""The Open Inference Protocol over HTTP: inference in JSON and in binary tensors; what models are is `oip_models`'."""

from __future__ import annotations

from collections.abc import Awaitable, Generator, Iterator
from functools import partial
from typing import Any

import msgspec

from serving.http.departures import unless_gone
from serving.http.exchange import JSON, Exchange, Reply
from serving.http.native import answer_headers
from serving.http.oip_body import (
    CONTENT_LENGTH,
    OCTETS,
    InferRequest,
    InferResponse,
    read_request,
)
from serving.http.request_rows import Limits
from serving.inference import Answered, Inference
from serving.loaded_model import LoadedModel
from serving.oip.metadata import check_wanted
from serving.oip.raw import write_raw
from serving.oip.reading import rows_of
from serving.oip.tensors import Tensor
from serving.oip.wishes import refuse_unknown_wishes
from serving.oip.writing import outputs_in_slices, outputs_of
from serving.requested_rows import RequestRows
from serving.turns import LARGE_BODY_BYTES, SLICE_ROWS

_encode = msgspec.json.Encoder().encode
MARK = "/versions/"


class OipRoutes:
    """Handlers of `/v2/models/{model}[/versions/{version}]/infer`."""

    def __init__(self, inference: Inference, limits: Limits) -> None:
        self._inference, self._limits = inference, limits

    async def infer(self, exchange: Exchange, name: str, *, versioned: bool = False) -> Reply:
        """POST: tensors in, tensors out."""
        bucket = self._inference.admit(exchange.caller, name)
        content = await exchange.body(answer=None)
        asked, tensors = read_request(content, exchange.headers, self._limits.max_json_depth)
        exchange.refuse_unless_taken(OCTETS if asked.wants_bytes() else JSON)
        refuse_unknown_wishes(asked.parameters, asked.wishes)
        version = version_in(exchange.scope["path"]) if versioned else None
        read = partial(self._rows, asked, tensors)
        answering = self._inference.answer(exchange, name, bucket, read, version=version)
        if len(content) > LARGE_BODY_BYTES:
            answering = unless_gone(exchange, answering)
        return await self._reply(asked, await answering)

    def _rows(
        self, asked: InferRequest, tensors: list[Tensor] | Iterator[Tensor], model: LoadedModel
    ) -> RequestRows | Awaitable[RequestRows]:
        if asked.outputs:
            check_wanted(model, asked.wanted)
        return rows_of(model, tensors, self._limits, self._inference.turns)

    async def _reply(self, asked: InferRequest, answered: Answered) -> Reply:
        if len(answered.answers) <= SLICE_ROWS:
            outputs = outputs_of(answered, asked.wanted)
            return _written(asked, answered, outputs, _blobs(asked, outputs))
        return await self._inference.turns.through(_written_in_slices(asked, answered))


def version_in(path: str) -> str:
    """The segment after `/versions/`."""
    return path.partition(MARK)[2].partition("/")[0]


def _written_in_slices(asked: InferRequest, answered: Answered) -> Generator[None, None, Reply]:
    outputs = yield from outputs_in_slices(answered, asked.wanted)
    blobs = []
    for output in outputs:
        blobs += _blobs(asked, [output])
        if output.data is not None:
            output.data = msgspec.Raw(_encode(output.data))
        yield
    return _written(asked, answered, outputs, blobs)


def _written(asked: InferRequest, answered: Answered, outputs: list[Tensor], blobs: list[bytes]) -> Reply:
    parameters: dict[str, Any] = {"cached": all(answer.cached for answer in answered.answers)}
    if len(answered.answers) == 1:
        parameters["prediction_id"] = answered.answers[0].prediction_id
    model = answered.model
    body = _encode(InferResponse(model.name, model.version, outputs, asked.id, parameters))
    headers = answer_headers(model, answered.answers)
    if not blobs:
        return Reply(200, body, headers=headers)
    length = (CONTENT_LENGTH, b"%d" % len(body))
    return Reply(200, b"".join((body, *blobs)), OCTETS, (*headers, length))


def _blobs(asked: InferRequest, outputs: list[Tensor]) -> list[bytes]:
    """The raw bytes of the outputs that were asked for as such; they leave the JSON."""
    blobs = []
    for output in outputs if asked.wants_bytes() else ():
        if asked.is_binary(output.name):
            raw = write_raw(output)
            output.data, output.parameters = None, {"binary_data_size": len(raw)}
            blobs.append(raw)
    return blobs
