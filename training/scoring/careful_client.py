"""Rows as requests, sent the way a careful client sends them: what the schema refuses is left out, never the row."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from modelkit.definition import ModelDefinition
from modelkit.rows import RowReader


@dataclass(frozen=True, kw_only=True)
class Sent:
    """Decoded rows in order, None where a request could not be made valid. Counts are of values and rows, by reason."""

    rows: list[msgspec.Struct | None]
    dropped: Counter[str] = field(default_factory=Counter)
    clamped: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)


def send(definition: ModelDefinition, requests: Sequence[dict[str, Any]]) -> Sent:
    """Decodes every request by the reader that serving uses."""
    reader = RowReader(definition.row)
    sent = Sent(rows=[])
    for request in requests:
        try:
            sent.rows.append(reader.from_object(request))
        except msgspec.ValidationError:
            sent.rows.append(_send_repaired(reader, request, sent))
    return sent


def _send_repaired(reader: RowReader, request: dict[str, Any], sent: Sent) -> msgspec.Struct | None:
    """Without the optional fields that are wrong; a required number that is out of bounds becomes the bound."""
    repaired = dict(request)
    for error in _errors(reader, request):
        name, info = str(error["loc"][0]), reader.request.model_fields.get(str(error["loc"][0]))
        if info is None or not info.is_required():
            repaired.pop(name, None)
            sent.dropped[name] += 1
        elif (bound := _bound(error)) is not None:
            repaired[name] = bound
            sent.clamped[name] += 1
    try:
        return reader.from_object(repaired)
    except msgspec.ValidationError as error:
        sent.refused[str(error)] += 1
        return None


def _errors(reader: RowReader, request: dict[str, Any]) -> list[ErrorDetails]:
    """One for each field."""
    try:
        reader.request.model_validate_json(msgspec.json.encode(request))
    except ValidationError as error:
        return list({item["loc"][0]: item for item in error.errors(include_url=False)}.values())
    return []


def _bound(error: ErrorDetails) -> float | None:
    """In the type of the field: pydantic gives a whole number for a field of whole numbers."""
    limits = error.get("ctx", {})
    for name, outwards in (("ge", 0), ("le", 0), ("gt", 1), ("lt", -1)):
        if name in limits:
            limit: float = limits[name]
            if isinstance(limit, int):
                return limit + outwards
            return math.nextafter(limit, outwards * math.inf) if outwards else limit
    return None
