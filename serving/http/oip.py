"""The Open Inference Protocol over HTTP: inference in JSON and in binary tensors; what models are is `oip_models`'."""

from __future__ import annotations

from functools import partial
from typing import Any

import msgspec

from modelkit.errors import FieldError, InvalidRequest
from serving.http.departures import LARGE_BODY_BYTES, unless_gone
from serving.http.exchange import Exchange, Reply
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
from serving.oip.writing import outputs_of
from serving.requested_rows import RequestRows

_encode = msgspec.json.Encoder().encode
MARK = "/versions/"


class OipRoutes:
    """Handlers of `/v2/models/{model}[/versions/{version}]/infer`."""

    def __init__(self, inference: Inference, limits: Limits) -> None:
        self._inference, self._limits = inference, limits

    async def infer(self, exchange: Exchange, name: str, *, versioned: bool = False) -> Reply:
        """POST: tensors in, tensors out."""
        bucket = self._inference.admit(exchange.caller, name)
        content = await exchange.body()
        asked = read_request(content, exchange.headers, self._limits.max_json_depth)
        refuse_unknown_wishes(asked)
        version = version_in(exchange.scope["path"]) if versioned else None
        read = partial(self._rows, asked)
        answering = self._inference.answer(exchange, name, bucket, read, version=version)
        if len(content) > LARGE_BODY_BYTES:
            answering = unless_gone(exchange, answering)
        return _reply(asked, await answering)

    def _rows(self, asked: InferRequest, model: LoadedModel) -> RequestRows:
        if asked.outputs:
            check_wanted(model, [output.name for output in asked.outputs])
        return rows_of(model, asked.inputs, self._limits)


def version_in(path: str) -> str:
    """The segment after `/versions/`."""
    return path.partition(MARK)[2].partition("/")[0]


def _reply(asked: InferRequest, answered: Answered) -> Reply:
    outputs = outputs_of(answered, [output.name for output in asked.outputs])
    parameters: dict[str, Any] = {"cached": all(answer.cached for answer in answered.answers)}
    if len(answered.answers) == 1:
        parameters["prediction_id"] = answered.answers[0].prediction_id
    blobs = _binary(asked, outputs)
    model = answered.model
    body = _encode(InferResponse(model.name, model.version, outputs, asked.id, parameters))
    headers = answer_headers(model, answered.answers)
    if not blobs:
        return Reply(200, body, headers=headers)
    length = (CONTENT_LENGTH, b"%d" % len(body))
    return Reply(200, b"".join((body, *blobs)), OCTETS, (*headers, length))


def _binary(asked: InferRequest, outputs: list[Tensor]) -> list[bytes]:
    """The raw bytes of the outputs that were asked for as such; they leave the JSON."""
    everything = asked.wants_binary
    if asked.outputs:
        chosen = [wish.is_binary(otherwise=everything) for wish in asked.outputs]
    elif everything:
        chosen = [True] * len(outputs)
    else:
        return []
    blobs = []
    for output, is_binary in zip(outputs, chosen, strict=True):
        if is_binary:
            raw = write_raw(output)
            output.data, output.parameters = None, {"binary_data_size": len(raw)}
            blobs.append(raw)
    return blobs


def refuse_unknown_wishes(asked: InferRequest) -> None:
    """Raises InvalidRequest for what would change the answer and is not done here."""
    errors = []
    if asked.parameters.get("on_error", "fail") != "fail":
        detail = "Tensors have one element per row: ask /predict/{model} or /v1 to skip rows"
        errors.append(FieldError(pointer="/parameters/on_error", detail=detail))
    for place, output in enumerate(asked.outputs):
        if "classification" in output.parameters:
            pointer = f"/outputs/{place}/parameters/classification"
            errors.append(FieldError(pointer=pointer, detail="Ask for the output `probabilities`"))
    if errors:
        raise InvalidRequest("The request asks for what is not done here", errors=errors)
