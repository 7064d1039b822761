"""From a native request body to rows: one typed object, or `{"instances": […], "on_error": "fail"|"skip"}`.

The fast path decodes with msgspec; a body it refuses is read again by pydantic, for the complete list of what is wrong.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

import msgspec
from pydantic import ValidationError

from modelkit.errors import FieldError, InvalidRequest
from modelkit.rows import RowReader
from modelkit.schema import field_errors, read_json
from serving.requested_rows import RequestRows

BAD_BODY = (msgspec.MsgspecError, RecursionError, UnicodeDecodeError)
_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*"?', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Limits:
    max_json_depth: int
    max_instances: int


class _Envelope(msgspec.Struct, forbid_unknown_fields=True):
    instances: list[msgspec.Raw]
    on_error: Literal["fail", "skip"] = "fail"


_decode_envelope = msgspec.json.Decoder(_Envelope).decode


def read_rows(reader: RowReader, body: bytes, limits: Limits) -> RequestRows:
    """Raises InvalidRequest, with a JSON pointer for everything that is wrong."""
    if b'"instances"' in body and "instances" not in reader.names:
        return _read_batch(reader, body, limits)
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


def refuse_deep(body: bytes, max_depth: int) -> None:
    """Raises InvalidRequest when arrays and objects nest deeper than `max_depth`; linear in the body, whatever it holds."""
    depth = 0
    for mark in re.finditer(rb"[\[\]{}]", _STRINGS.sub(b"", body)):
        depth += 1 if mark.group() in b"[{" else -1
        if depth > max_depth:
            raise InvalidRequest(f"The body nests deeper than {max_depth} levels")


def _explain(
    reader: RowReader, text: bytes | msgspec.Raw, *, prefix: str = "", row: int | None = None
) -> msgspec.Struct:
    try:
        checked = read_json(reader.request, bytes(text))
    except ValidationError as error:
        raise InvalidRequest(errors=field_errors(error, prefix=prefix, row=row)) from None
    return reader.decode_one(checked.model_dump_json())


def _read_batch(reader: RowReader, body: bytes, limits: Limits) -> RequestRows:
    try:
        envelope = _decode_envelope(body)
    except BAD_BODY as error:
        refuse_deep(body, limits.max_json_depth)
        raise InvalidRequest(
            'The body must be one object of the model, or {"instances": [...], "on_error": "fail"|"skip"}',
            errors=[_place_of(error)],
        ) from None
    if not 0 < len(envelope.instances) <= limits.max_instances:
        raise InvalidRequest(
            f"`instances` must hold 1 to {limits.max_instances} rows",
            errors=[FieldError(pointer="/instances", detail=f"has {len(envelope.instances)} rows")],
        )
    read = _read_instances(reader, envelope, limits)
    if read.errors and not (read.skips and read.rows):
        raise InvalidRequest("At least one row is not valid", errors=read.errors)
    return read


def _read_instances(reader: RowReader, envelope: _Envelope, limits: Limits) -> RequestRows:
    rows: list[msgspec.Struct] = []
    places: list[int] = []
    errors: list[FieldError] = []
    for place, raw in enumerate(envelope.instances):
        try:
            rows.append(_read_instance(reader, raw, place, limits))
            places.append(place)
        except InvalidRequest as error:
            errors.extend(
                error.errors or [FieldError(pointer=f"/instances/{place}", detail=error.detail, row=place)]
            )
    skips = envelope.on_error == "skip"
    return RequestRows(rows, places, len(envelope.instances), True, errors, skips, _in_an_instance)


def _in_an_instance(place: int, field: str) -> str:
    return f"/instances/{place}/{field}"


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
    return FieldError(
        pointer="", detail="Input should be a JSON object of nothing but `instances` and `on_error`"
    )
