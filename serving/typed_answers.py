"""The body of an answer as a type, for BentoML's schema and clients: field by field what `/predict/{model}` writes.

Apart from the routes, because BentoML imports it in the parent process too.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

from modelkit.definition import ModelDefinition
from modelkit.schema import RequestModel

Moment = Annotated[str, Field(json_schema_extra={"format": "date-time"})]


class TypedAnswer(BaseModel):
    """What every model answers for one row; `typed_answer` adds what one model says besides."""

    model_config = ConfigDict(protected_namespaces=(), extra="forbid")

    prediction: float | str
    lower: float | None
    upper: float | None
    units: str
    model: str
    model_version: str
    prediction_id: str
    cached: bool


def api_name(definition: ModelDefinition) -> str:
    """The method, and with a slash the route, of a model's typed API."""
    return f"predict_{definition.package}"


def taken(definition: ModelDefinition) -> type[RequestModel]:
    """The request as BentoML reads it again: what the front app has let through, which knows 3.0 for an integer."""

    class Lenient(definition.request):  # type: ignore[misc, name-defined]
        __doc__ = definition.request.__doc__
        model_config = ConfigDict(strict=False)

    Lenient.__name__ = Lenient.__qualname__ = definition.request.__name__
    return Lenient


def typed_answer(definition: ModelDefinition) -> type[TypedAnswer]:
    """The type of one model's answers."""
    value: Any = Literal[definition.classes] if definition.classes else float
    more: dict[str, Any] = {"prediction": (value, ...)}
    if definition.classes:
        more["probabilities"] = (dict[str, float], ...)
    if definition.answer_field is not None:
        more[definition.answer_field] = (value, ...)
    requested = definition.request.model_fields
    more |= {name: (requested[name].annotation, ...) for name in definition.echo}
    if definition.timestamp:
        more["timestamp"] = (Moment, ...)
    return create_model(f"{definition.request.__name__}Answer", __base__=TypedAnswer, **more)
