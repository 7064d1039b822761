"""The six methods of the Open Inference Protocol: a message in, a message out, and in between what every protocol asks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Iterable, Sequence
from functools import partial

from google.protobuf.message import Message

from modelkit.errors import ModelNotFound, VersionNotLoaded
from serving.grpc.call import GrpcCall
from serving.grpc.messages import parsed, refuse_wishes, tensors_of, write_output
from serving.grpc.open_inference_grpc_pb2 import (
    ModelInferRequest,
    ModelInferResponse,
    ModelMetadataRequest,
    ModelMetadataResponse,
    ModelReadyRequest,
    ModelReadyResponse,
    ServerLiveResponse,
    ServerMetadataResponse,
    ServerReadyResponse,
)
from serving.grpc.surface import MODEL_METADATA, Rpc
from serving.inference import Answered, Inference
from serving.loaded_model import LoadedModel
from serving.model_board import ModelBoard
from serving.oip.metadata import check_wanted, input_metadata, output_metadata
from serving.oip.reading import RowLimits, rows_of
from serving.oip.tensors import Tensor, TensorMetadata
from serving.oip.writing import outputs_in_slices, outputs_of
from serving.readiness import Readiness
from serving.requested_rows import RequestRows
from serving.turns import LARGE_BODY_BYTES, SLICE_ROWS
from serving.version import VERSION

SERVER_NAME = "slipway"
PLATFORM = "onnxruntime_onnx"

# Raises where the caller may not call this.
Identify = Callable[[Rpc, GrpcCall], Awaitable[None]]
Announced = list[ModelMetadataResponse.TensorMetadata]


class InferenceMethods:
    """Each takes the bytes of a request's message and gives the message of the answer."""

    def __init__(
        self,
        inference: Inference,
        board: ModelBoard,
        readiness: Readiness,
        limits: RowLimits,
        identify: Identify,
    ) -> None:
        self._inference, self._board, self._identify = inference, board, identify
        self._readiness, self._limits = readiness, limits

    async def server_live(self, call: GrpcCall, message: bytes) -> Message:
        return ServerLiveResponse(live=self._readiness.live())

    async def server_ready(self, call: GrpcCall, message: bytes) -> Message:
        return ServerReadyResponse(ready=not self._readiness.reasons())

    async def model_ready(self, call: GrpcCall, message: bytes) -> Message:
        """A model that is not ready is an answer; one that is not served here is an error, and so is such a version.

        Anybody may ask, but which versions are loaded is told to whom the metadata is told.
        """
        asked = parsed(ModelReadyRequest, message)
        if asked.version:
            await self._identify(MODEL_METADATA, call)
        self._check_held(asked.name, asked.version)
        return ModelReadyResponse(ready=self._readiness.of_model(asked.name))

    async def server_metadata(self, call: GrpcCall, message: bytes) -> Message:
        return ServerMetadataResponse(name=SERVER_NAME, version=VERSION)

    async def model_metadata(self, call: GrpcCall, message: bytes) -> Message:
        asked = parsed(ModelMetadataRequest, message)
        held = self._check_held(asked.name, asked.version)
        definition = self._board.slots[asked.name].definition
        described = held.get(asked.version) or next(iter(held.values()), None)
        return ModelMetadataResponse(
            name=asked.name,
            versions=[asked.version] if asked.version else list(held),
            platform=PLATFORM,
            inputs=_announced(input_metadata(definition)),
            outputs=_announced(output_metadata(definition, described)),
        )

    async def model_infer(self, call: GrpcCall, message: bytes) -> Message:
        """What a caller may ask and how often depends on the model, whose name is in the message."""
        request = parsed(ModelInferRequest, message)
        refuse_wishes(request)
        name, version = request.model_name, request.model_version or None
        bucket = self._inference.admit(call.caller, name)
        read = partial(self._rows, request, len(message) > LARGE_BODY_BYTES)
        answered = await self._inference.answer(call, name, bucket, read, version=version)
        if len(answered.answers) <= SLICE_ROWS:
            return _response(request, answered, outputs_of(answered, _wanted(request)))
        return await self._inference.turns.through(_response_in_slices(request, answered))

    def _rows(
        self, request: ModelInferRequest, large: bool, model: LoadedModel
    ) -> RequestRows | Awaitable[RequestRows]:
        if request.outputs:
            check_wanted(model, _wanted(request))
        tensors = tensors_of(request)
        return rows_of(model, tensors if large else list(tensors), self._limits, self._inference.turns)

    def _check_held(self, name: str, version: str) -> dict[str, LoadedModel]:
        """The versions in memory, the one that is served first. Raises ModelNotFound, or VersionNotLoaded where one is
        named that is not among them.
        """
        slot = self._board.slots.get(name)
        if slot is None:
            raise ModelNotFound
        held = {model.version: model for model in slot.held}
        if version and version not in held:
            raise VersionNotLoaded
        return held


def _wanted(request: ModelInferRequest) -> list[str]:
    return [output.name for output in request.outputs]


def _response(
    request: ModelInferRequest, answered: Answered, outputs: Iterable[Tensor]
) -> ModelInferResponse:
    model, answers = answered.model, answered.answers
    response = ModelInferResponse(model_name=model.name, model_version=model.version, id=request.id)
    response.parameters["cached"].bool_param = all(answer.cached for answer in answers)
    if len(answers) == 1:
        response.parameters["prediction_id"].string_param = answers[0].prediction_id
    for output in outputs:
        write_output(response, output, raw=bool(request.raw_input_contents))
    return response


def _response_in_slices(
    request: ModelInferRequest, answered: Answered
) -> Generator[None, None, ModelInferResponse]:
    outputs = yield from outputs_in_slices(answered, _wanted(request))
    response = _response(request, answered, ())
    for output in outputs:
        write_output(response, output, raw=bool(request.raw_input_contents))
        yield
    return response


def _announced(tensors: Sequence[TensorMetadata]) -> Announced:
    return [
        ModelMetadataResponse.TensorMetadata(name=each.name, datatype=each.datatype, shape=each.shape)
        for each in tensors
    ]
