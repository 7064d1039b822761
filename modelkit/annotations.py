"""Reading a schema field's type annotation: its alternatives, and the plain type behind each."""

from __future__ import annotations

import types
import typing
from datetime import date, datetime
from typing import Any

from pydantic import NaiveDatetime

SCALARS = (float, int, bool, str, date, datetime, type(None))


def alternatives(annotation: Any) -> tuple[Any, ...]:
    """`float | None` gives `(float, NoneType)`; anything that is not a union gives itself."""
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return typing.get_args(annotation)
    return (annotation,)


def scalar_type(annotation: Any) -> type:
    """The Python type of one alternative's values. Raises TypeError for what a request field cannot be."""
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        return scalar_type(typing.get_args(annotation)[0])
    if origin is typing.Literal:
        return type(typing.get_args(annotation)[0])
    if annotation is NaiveDatetime:
        return datetime
    if annotation not in SCALARS:
        raise TypeError(f"a request field cannot be {annotation!r}")
    return typing.cast(type, annotation)
