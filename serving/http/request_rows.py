"""From a native request body to rows: one typed object, or `{"instances": […], "on_error": "fail"|"skip"}`.

The fast path decodes with msgspec; a body it refuses is read again by pydantic, for the complete list of what is wrong.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass
from itertools import islice
from typing import Literal, NamedTuple

import msgspec
import numpy as np
from pydantic import ValidationError

from modelkit.errors import FieldError, InvalidRequest
from modelkit.rows import RowReader
from modelkit.schema import MAX_REPORTED_ERRORS, field_errors, read_json
from serving.requested_rows import RequestRows
from serving.turns import LARGE_BODY_BYTES, SLICE_ROWS, Turns, at_once

BAD_BODY = (msgspec.MsgspecError, RecursionError, UnicodeDecodeError)
# What a refusal tells at most, where nothing but the refusal is told.
MAX_ERRORS = 1000
# pydantic takes as long to explain one row as msgspec to read so many.
ROWS_OF_A_REFUSAL = 15
# So much of a body is searched for depth. What nests deeper only behind it is refused as well, by another name.
SEARCHED_BYTES = 64 * 1024
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_STEPS = np.zeros(256, np.int8)
_STEPS[list(b"[{")], _STEPS[list(b"]}")] = 1, -1
_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


@dataclass(frozen=True, slots=True)
class Limits:
    max_json_depth: int
    max_instances: int


class _Envelope(msgspec.Struct, forbid_unknown_fields=True):
    instances: list[msgspec.Raw]
    on_error: Literal["fail", "skip"] = "fail"


class _V1Envelope(_Envelope, forbid_unknown_fields=True):
    """TensorFlow Serving's clients name a signature, and a model here has the one that they take by default."""

    signature_name: Literal["serving_default"] = "serving_default"


class Form(NamedTuple):
    """What a body of many rows looks like."""

    decode: Callable[[bytes], _Envelope]
    said: str


NATIVE = Form(
    msgspec.json.Decoder(_Envelope).decode,
    'The body must be one object of the model, or {"instances": [...], "on_error": "fail"|"skip"}',
)
V1 = Form(
    msgspec.json.Decoder(_V1Envelope).decode,
    'The body must be {"instances": [...], "on_error": "fail"|"skip"}',
)


def read_rows(reader: RowReader, body: bytes, limits: Limits) -> RequestRows:
    """Raises InvalidRequest, with a JSON pointer for everything that is wrong."""
    if _is_batch(reader, body):
        return at_once(_read_instances(reader, _envelope(body, limits), limits))
    return _read_one(reader, body, limits)


def read_in_turns(
    reader: RowReader, body: bytes, limits: Limits, turns: Turns
) -> RequestRows | Awaitable[RequestRows]:
    """The same; to be awaited where there are many rows."""
    if not _is_batch(reader, body):
        return _read_one(reader, body, limits)
    return read_many_in_turns(reader, body, limits, turns)


def read_many_in_turns(
    reader: RowReader, body: bytes, limits: Limits, turns: Turns, form: Form = NATIVE
) -> RequestRows | Awaitable[RequestRows]:
    """The same of a body that has to be of this form."""
    envelope = _envelope(body, limits, form)
    reading = _read_instances(reader, envelope, limits)
    return at_once(reading) if len(envelope.instances) <= SLICE_ROWS else turns.through(reading)


def _is_batch(reader: RowReader, body: bytes) -> bool:
    return b'"instances"' in body and "instances" not in reader.names


def _read_one(reader: RowReader, body: bytes, limits: Limits) -> RequestRows:
    try:
        row = reader.decode_one(body)
    except BAD_BODY:
        refuse_deep(body, limits.max_json_depth)
        row = _explain(reader, body)
    return RequestRows([row], [0], 1, False, [])


def accepts(reader: RowReader, body: bytes, limits: Limits) -> bool:
    """Whether a body is a valid request of this schema."""
    try:
        read_rows(reader, body, limits)
    except InvalidRequest:
        return False
    return True


async def accepts_in_turns(reader: RowReader, body: bytes, limits: Limits, turns: Turns) -> bool:
    """The same for a body of any size."""
    try:
        request = read_in_turns(reader, body, limits, turns)
        if not isinstance(request, RequestRows):
            await request
    except InvalidRequest:
        return False
    return True


def refuse_deep(body: bytes, max_depth: int) -> None:
    """Raises InvalidRequest when arrays and objects nest deeper than `max_depth`. For a body that nobody has read, or that
    a reader has refused: it costs a millisecond, whatever the body holds and however long it is.
    """
    unescaped = body[:SEARCHED_BYTES].replace(b"\\\\", b"").replace(b'\\"', b"")
    outside_of_text = b"".join(unescaped.split(b'"')[::2])
    brackets = np.frombuffer(outside_of_text.translate(None, _NO_BRACKETS), np.uint8)
    if _STEPS[brackets].cumsum(dtype=np.int32).max(initial=0) > max_depth:
        raise InvalidRequest(f"The body nests deeper than {max_depth} levels")


def _explain(
    reader: RowReader, text: bytes | msgspec.Raw, *, prefix: str = "", row: int | None = None
) -> msgspec.Struct:
    try:
        checked = read_json(reader.request, _shortened(reader, bytes(text)))
    except ValidationError as error:
        raise InvalidRequest(errors=field_errors(error, prefix=prefix, row=row)) from None
    except BAD_BODY as error:
        detail = _OF_A_ROW[isinstance(error, msgspec.ValidationError)]
        raise InvalidRequest(errors=[FieldError(pointer=prefix, detail=detail, row=row)]) from None
    return reader.decode_one(checked.model_dump_json())


_OF_A_ROW = {True: "Input should be an object", False: "Invalid JSON"}


def _shortened(reader: RowReader, text: bytes) -> bytes:
    """What pydantic needs of a row to say the same about it, in a time that the schema bounds and not the sender.

    Raises one of BAD_BODY where a large text is no object.
    """
    try:
        members = _members(text)
    except BAD_BODY:
        if len(text) > LARGE_BODY_BYTES:
            raise
        return text
    kept = {name: _without_contents(members[name]) for name in reader.names if name in members}
    unknown = (name for name in members if name not in kept)
    return msgspec.json.encode({**kept, **dict.fromkeys(islice(unknown, MAX_REPORTED_ERRORS))})


def _without_contents(value: msgspec.Raw) -> msgspec.Raw:
    """Fields are scalars: of an array or an object nothing matters but that it is one."""
    kind = bytes(memoryview(value)[:1])
    return msgspec.Raw({b"[": b"[]", b"{": b"{}"}[kind]) if kind in (b"[", b"{") else value


def _envelope(body: bytes, limits: Limits, form: Form = NATIVE) -> _Envelope:
    try:
        envelope = form.decode(body)
    except BAD_BODY as error:
        refuse_deep(body, limits.max_json_depth)
        raise InvalidRequest(form.said, errors=[_place_of(error)]) from None
    if not 0 < len(envelope.instances) <= limits.max_instances:
        raise InvalidRequest(
            f"`instances` must hold 1 to {limits.max_instances} rows",
            errors=[FieldError(pointer="/instances", detail=f"has {len(envelope.instances)} rows")],
        )
    return envelope


def _read_instances(
    reader: RowReader, envelope: _Envelope, limits: Limits
) -> Generator[None, None, RequestRows]:
    """Yields between slices of the rows; raises InvalidRequest."""
    skips = envelope.on_error == "skip"
    found = RequestRows([], [], len(envelope.instances), True, [], skips, _in_an_instance)
    left = SLICE_ROWS
    for place, raw in enumerate(envelope.instances):
        if left <= 0:
            left = SLICE_ROWS
            yield
        left -= 1
        try:
            found.rows.append(_read_instance(reader, raw, place, limits))
            found.places.append(place)
        except InvalidRequest as error:
            left -= ROWS_OF_A_REFUSAL
            found.errors.extend(
                error.errors or [FieldError(pointer=f"/instances/{place}", detail=error.detail, row=place)]
            )
            if not skips and len(found.errors) >= MAX_ERRORS:
                break
    if found.errors and not (skips and found.rows):
        raise InvalidRequest("At least one row is not valid", errors=found.errors[:MAX_ERRORS])
    return found


def _in_an_instance(place: int, field: str) -> str:
    return f"/instances/{place}/{field}" if field else f"/instances/{place}"


def _read_instance(reader: RowReader, raw: msgspec.Raw, place: int, limits: Limits) -> msgspec.Struct:
    try:
        return reader.decode_one(raw)
    except BAD_BODY:
        refuse_deep(bytes(raw), limits.max_json_depth)
        return _explain(reader, raw, prefix=f"/instances/{place}", row=place)


def _place_of(error: Exception) -> FieldError:
    """Which part of the envelope is wrong. What msgspec says about it may quote what was sent, and is not shown."""
    path = str(error).partition(" - at `$.")[2].rstrip("`")
    if path.startswith("instances"):
        return FieldError(pointer="/instances", detail="Input should be an array")
    if path.startswith("on_error"):
        return FieldError(pointer="/on_error", detail="Input should be 'fail' or 'skip'")
    if path.startswith("signature_name"):
        return FieldError(pointer="/signature_name", detail="A model has one signature: 'serving_default'")
    return FieldError(
        pointer="", detail="Input should be a JSON object of nothing but `instances` and `on_error`"
    )
