"""The native prediction routes: `/predict/{model}` and the seeds' `/predict`."""

from __future__ import annotations

from collections.abc import Awaitable
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import partial
from typing import Any

import msgspec
import orjson

from modelkit.definition import ModelDefinition
from modelkit.errors import AmbiguousModel, InvalidRequest
from serving.http.departures import unless_gone
from serving.http.exchange import Exchange, Reply
from serving.http.request_rows import Limits, accepts_in_turns, read_in_turns, read_rows
from serving.inference import Inference, Ready
from serving.limits.bucket import Bucket
from serving.loaded_model import LoadedModel
from serving.model_board import ModelBoard
from serving.predictor import Answer, Asking
from serving.requested_rows import RequestRows
from serving.turns import LARGE_BODY_BYTES, SLICE_ROWS, Turns, slices_of

_FROM_CACHE, _FROM_MODEL = (b"x-cache", b"hit"), (b"x-cache", b"miss")


# Of the request that is being passed on, for the typed API behind BentoML's stack.
checked: ContextVar[tuple[Ready, Asking]] = ContextVar("checked")


class NativeRoutes:
    """Handlers that read a body, have it answered and write the answers."""

    def __init__(
        self, inference: Inference, board: ModelBoard, limits: Limits, *, default_model: str
    ) -> None:
        self._inference, self._board, self._limits = inference, board, limits
        self._default_model = default_model

    async def predict(self, exchange: Exchange, name: str) -> Reply:
        """POST /predict/{model}: one typed object or `instances`."""
        bucket = self._inference.admit(exchange.caller, name)
        return await self._answer(exchange, name, bucket, await exchange.json_body())

    async def predict_any(self, exchange: Exchange) -> Reply:
        """POST /predict: the default model, or the only one whose schema accepts the body."""
        body = await exchange.json_body()
        name = self._default_model or await self._only_taker(body)
        return await self._answer(exchange, name, self._inference.admit(exchange.caller, name), body)

    async def checked_row(self, exchange: Exchange, name: str) -> bytes:
        """The body of a request for one row, after everything that `predict` would refuse was refused."""
        bucket = self._inference.admit(exchange.caller, name)
        body = await exchange.json_body()
        ready = await self._inference.ready(exchange, name, bucket, partial(self._only_row, body))
        checked.set((ready, exchange.asking))
        return body

    async def answer_checked(self) -> dict[str, Any]:
        """The body that `predict` would write, for the row that `checked_row` has let through."""
        model, request, answers = await self._inference.answer_ready(*checked.get())
        return one_answer(model, request.rows[0], answers[0])

    async def _only_taker(self, body: bytes) -> str:
        readers = {
            name: slot.current.reader for name, slot in self._board.slots.items() if slot.current is not None
        }
        limits, turns = self._limits, self._inference.turns
        takers = [
            name for name, reader in readers.items() if await accepts_in_turns(reader, body, limits, turns)
        ]
        if len(takers) > 1:
            raise AmbiguousModel(f"{', '.join(takers)} accept this body: ask /predict/{{model}}")
        if not takers:
            raise InvalidRequest("No served model accepts this body: ask /predict/{model} to see why")
        return takers[0]

    def _rows(self, body: bytes, model: LoadedModel) -> RequestRows | Awaitable[RequestRows]:
        return read_in_turns(model.reader, body, self._limits, self._inference.turns)

    def _only_row(self, body: bytes, model: LoadedModel) -> RequestRows:
        request = read_rows(model.reader, body, self._limits)
        if request.is_batch:
            raise InvalidRequest("This route takes one row: ask /predict/{model} for many")
        return request

    async def _answer(self, exchange: Exchange, name: str, bucket: Bucket | None, body: bytes) -> Reply:
        answering = self._inference.answer(exchange, name, bucket, partial(self._rows, body))
        if len(body) > LARGE_BODY_BYTES:
            answering = unless_gone(exchange, answering)
        model, request, answers = await answering
        written = (
            orjson.dumps(one_answer(model, request.rows[0], answers[0]))
            if not request.is_batch
            else await _many_answers(model, request, answers, self._inference.turns)
        )
        return Reply(200, written, headers=answer_headers(model, answers))


def one_answer(model: LoadedModel, row: msgspec.Struct, answer: Answer) -> dict[str, Any]:
    """The body of one row's answer, as every JSON protocol of ours writes it."""
    outcome, definition = answer.outcome, model.definition
    body: dict[str, Any] = {
        "prediction": outcome.prediction,
        "lower": outcome.lower,
        "upper": outcome.upper,
        "units": definition.units,
        "model": model.name,
        "model_version": model.version,
        "prediction_id": answer.prediction_id,
        "cached": answer.cached,
    }
    if outcome.probabilities is not None:
        body["probabilities"] = outcome.probabilities
    if definition.answer_field is not None:
        body[definition.answer_field] = outcome.prediction
    for name in definition.echo:
        body[name] = getattr(row, name)
    if definition.timestamp:
        body["timestamp"] = datetime.now(UTC).isoformat()
    return body


def answer_fields(definition: ModelDefinition) -> dict[str, dict[str, Any]]:
    """JSON schemas of the fields of `one_answer`, for the API's description."""
    value: dict[str, Any] = (
        {"type": "string", "enum": list(definition.classes)} if definition.classes else {"type": "number"}
    )
    fields: dict[str, dict[str, Any]] = {
        "prediction": value,
        "lower": {"type": ["number", "null"]},
        "upper": {"type": ["number", "null"]},
        "units": {"type": "string", "const": definition.units},
        "model": {"type": "string", "const": definition.name},
        "model_version": {"type": "string"},
        "prediction_id": {"type": "string"},
        "cached": {"type": "boolean"},
    }
    if definition.classes:
        shares = {name: {"type": "number"} for name in definition.classes}
        fields["probabilities"] = {
            "type": "object",
            "properties": shares,
            "required": list(definition.classes),
        }
    if definition.answer_field is not None:
        fields[definition.answer_field] = value
    requested = definition.request.model_json_schema()["properties"]
    fields |= {name: requested[name] for name in definition.echo}
    if definition.timestamp:
        fields["timestamp"] = {"type": "string", "format": "date-time"}
    return fields


async def _many_answers(
    model: LoadedModel, request: RequestRows, answers: list[Answer], turns: Turns
) -> bytes:
    about = {"model": model.name, "model_version": model.version, "errors": row_errors(request)}
    rows = await written_rows(model, request, answers, turns)
    return b'%b,"predictions":%b}' % (orjson.dumps(about)[:-1], rows)


async def written_rows(
    model: LoadedModel, request: RequestRows, answers: list[Answer], turns: Turns
) -> bytes:
    """An array in JSON with one entry per row of the request, null for a row that was skipped."""
    if request.size <= SLICE_ROWS:
        return orjson.dumps(row_answers(model, request, answers))
    answered = dict(zip(request.places, zip(request.rows, answers, strict=True), strict=True))
    written: list[bytes] = []
    for part in slices_of(request.size):
        await turns.next()
        found = [answered.get(place) for place in range(*part.indices(request.size))]
        entries = [None if each is None else one_answer(model, *each) for each in found]
        written.append(orjson.dumps(entries)[1:-1])
    return b"[%b]" % b",".join(written)


def row_answers(
    model: LoadedModel, request: RequestRows, answers: list[Answer]
) -> list[dict[str, Any] | None]:
    """One entry per row of the request, null for a row that was skipped."""
    predictions: list[dict[str, Any] | None] = [None] * request.size
    for place, row, answer in zip(request.places, request.rows, answers, strict=True):
        predictions[place] = one_answer(model, row, answer)
    return predictions


def row_errors(request: RequestRows) -> list[dict[str, Any]]:
    return [{"pointer": item.pointer, "detail": item.detail, "row": item.row} for item in request.errors]


def answer_headers(model: LoadedModel, answers: list[Answer]) -> tuple[tuple[bytes, bytes], ...]:
    """The version, where the answers came from, and the id of an only answer: the same in every protocol."""
    version = (b"x-model-version", model.version_header)
    if len(answers) > 1:
        return version, _FROM_CACHE if all(answer.cached for answer in answers) else _FROM_MODEL
    (answer,) = answers
    prediction_id = (b"x-prediction-id", answer.prediction_id.encode())
    return version, _FROM_CACHE if answer.cached else _FROM_MODEL, prediction_id
