"""Request schemas: declared once in pydantic, decoded in msgspec.

Pydantic is the authority (bounds, documentation, complete error lists); a msgspec struct compiled from it is the fast
path, five times cheaper a request, and never accepts what pydantic refuses: `tests/unit/test_schema.py` and
`tests/unit/test_request_rows.py` hold them together.
"""

from __future__ import annotations

import hashlib
import json
import re
import typing
from datetime import datetime
from typing import Any

import annotated_types
import msgspec
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.fields import FieldInfo

from modelkit.annotations import alternatives, scalar_type
from modelkit.errors import FieldError

MAX_REPORTED_ERRORS = 50
MAX_EXACT = 2.0**53
BOUNDS: dict[type, str] = {
    annotated_types.Ge: "ge",
    annotated_types.Gt: "gt",
    annotated_types.Le: "le",
    annotated_types.Lt: "lt",
    annotated_types.MinLen: "min_length",
    annotated_types.MaxLen: "max_length",
}


class RequestModel(BaseModel):
    """Base of every `catalog/<model>/schema.py`: strict, closed, finite, immutable."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


def compile_struct(model: type[RequestModel]) -> type[msgspec.Struct]:
    """The frozen msgspec struct with the fields, order, bounds and defaults of a request model.

    Raises TypeError for what only pydantic could check: the fast path would let it through.
    """
    decorators = model.__pydantic_decorators__
    if decorators.validators or decorators.field_validators or decorators.model_validators:
        raise TypeError(f"{model.__name__}: a request model has bounds, not validators")
    fields: list[Any] = []
    for name, info in model.model_fields.items():
        annotation = _msgspec_type(info)
        fields.append((name, annotation) if info.is_required() else (name, annotation, info.default))
    return msgspec.defstruct(
        model.__name__, fields, frozen=True, forbid_unknown_fields=True, kw_only=True, gc=False
    )


def read_json(model: type[RequestModel], text: bytes) -> RequestModel:
    """A whole number is an integer however it is written, as JSON Schema has it: 3.0 is 3. Raises ValidationError."""
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        whole = _whole_numbers(error)
        if not whole:
            raise
    return model.model_validate_json(msgspec.json.encode({**msgspec.json.decode(text), **whole}))


def _whole_numbers(error: ValidationError) -> dict[str, int]:
    """Fields that are refused only for how their number is written."""
    found = error.errors(include_url=False, include_context=False)
    return {
        str(item["loc"][0]): int(item["input"])
        for item in found
        if item["type"] == "int_type" and len(item["loc"]) == 1 and _is_whole(item["input"])
    }


def _is_whole(value: Any) -> bool:
    return type(value) is float and value.is_integer() and abs(value) < MAX_EXACT


def schema_digest(*models: type[RequestModel]) -> str:
    """SHA-256 of the JSON schemas without their prose: equal exactly when the same bodies are accepted."""
    bare = [_without_prose(model.model_json_schema()) for model in dict.fromkeys(models)]
    return hashlib.sha256(json.dumps(bare, sort_keys=True).encode()).hexdigest()


def field_errors(error: ValidationError, *, prefix: str = "", row: int | None = None) -> list[FieldError]:
    """Pydantic's findings as JSON pointers. Messages name bounds and types, never the value that was sent."""
    found = []
    for item in error.errors(include_url=False, include_context=False, include_input=False)[
        :MAX_REPORTED_ERRORS
    ]:
        pointer = prefix + "".join(f"/{_escape(part)}" for part in item["loc"])
        found.append(FieldError(pointer=pointer, detail=item["msg"], row=row))
    return found


def _escape(part: int | str) -> str:
    return str(part)[:100].replace("~", "~0").replace("/", "~1")


def _msgspec_type(info: FieldInfo) -> Any:
    options = alternatives(info.annotation)
    bounds = _bounds(info.metadata)
    compiled = [option if option is type(None) else _bounded(option, bounds) for option in options]
    return compiled[0] if len(compiled) == 1 else typing.Union[tuple(compiled)]  # noqa: UP007 (made at run time)


def _bounded(annotation: Any, outer: dict[str, Any]) -> Any:
    """One non-null alternative with its bounds; a naive datetime is marked as such, because msgspec takes both."""
    bounds = dict(outer)
    if typing.get_origin(annotation) is typing.Annotated:
        annotation, *metadata = typing.get_args(annotation)
        bounds |= _bounds(metadata)
    plain = scalar_type(annotation)
    if plain is datetime:
        bounds["tz"] = False
    if typing.get_origin(annotation) is not typing.Literal:
        annotation = plain
    return typing.Annotated[annotation, msgspec.Meta(**bounds)] if bounds else annotation


def _bounds(metadata: typing.Iterable[Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for item in metadata:
        if isinstance(item, FieldInfo):
            found |= _bounds(item.metadata)
        elif isinstance(item, annotated_types.GroupedMetadata):
            found |= _bounds(item)
        elif name := BOUNDS.get(type(item)):
            found[name] = getattr(item, name)
        elif getattr(item, "__dict__", {}).keys() == {"pattern"}:
            # Python's `$` also matches before a final line break; pydantic's does not.
            found["pattern"] = re.sub(r"\$$", r"\\Z", item.pattern)
        else:
            raise TypeError(f"msgspec cannot hold a request field to {item!r}")
    return found


def _without_prose(node: Any) -> Any:
    if isinstance(node, dict):
        return {
            key: _without_prose(value)
            for key, value in node.items()
            if not (key in ("title", "description", "examples", "unit") and not isinstance(value, dict))
        }
    if isinstance(node, list):
        return [_without_prose(item) for item in node]
    return node
