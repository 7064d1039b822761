"""Features of an entity as plain numbers: the order, the types and the checks that every store of features shares.

A stored row is one float64 per field of the view, NaN where a value is missing; then the field's default stands in.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from math import isfinite, nan
from typing import Any

import msgspec
from pydantic.fields import FieldInfo

from modelkit.annotations import alternatives, scalar_type
from modelkit.definition import FeatureView
from modelkit.schema import compile_struct, schema_digest

Numbers = Sequence[float]
Cast = Callable[[float], Any]


class FeatureSetMeta(msgspec.Struct, frozen=True, kw_only=True):
    """What a store says about all rows of a view: `written_at` is a Unix time, `digest` that of the view's schema.

    `content` is a digest of the rows where whoever wrote them knew one.
    """

    view: str
    columns: list[str]
    digest: str
    rows: int
    written_at: float
    content: str = ""


class ViewRows:
    """Reads and writes the stored rows of one view."""

    def __init__(self, view: FeatureView) -> None:
        self.view = view
        self.names = tuple(view.row.model_fields)
        self.digest = schema_digest(view.row)
        self._struct = compile_struct(view.row)
        fields = view.row.model_fields.values()
        self._defaults = [nan if info.is_required() else info.default for info in fields]
        self._casts = [(place, cast) for place, cast in enumerate(map(_cast, fields)) if cast is not None]
        self._packed = struct.Struct(f"<{len(self.names)}d")

    def values(self, numbers: Numbers) -> dict[str, Any]:
        """The fields of a row that was checked when it was stored."""
        values = [
            default if number != number else number  # only NaN differs from itself
            for number, default in zip(numbers, self._defaults, strict=True)
        ]
        for place, cast in self._casts:
            if isinstance(values[place], float):
                values[place] = cast(values[place])
        return dict(zip(self.names, values, strict=True))

    def check(self, numbers: Numbers) -> None:
        """Raises ValueError, naming the field, for a row that the view's schema does not allow."""
        values = self.values(numbers)
        if odd := [
            name for name, value in values.items() if isinstance(value, float) and not isfinite(value)
        ]:
            raise ValueError(f"no finite number - at `$.{odd[0]}`")
        try:
            msgspec.convert(values, self._struct)
        except msgspec.ValidationError as error:
            raise ValueError(str(error)) from None

    def pack(self, numbers: Numbers) -> bytes:
        return self._packed.pack(*numbers)

    def unpack(self, packed: bytes) -> Numbers:
        """Raises ValueError for bytes that are no row of this view."""
        try:
            numbers = self._packed.unpack(packed)
        except struct.error:
            raise ValueError("a stored row has another length than the view") from None
        self.check(numbers)
        return numbers

    def meta(self, *, rows: int, written_at: float, content: str = "") -> FeatureSetMeta:
        return FeatureSetMeta(
            view=self.view.name,
            columns=list(self.names),
            digest=self.digest,
            rows=rows,
            written_at=written_at,
            content=content,
        )

    def refusal(self, meta: FeatureSetMeta) -> str:
        """Why a set of rows does not fit this view; empty when it does."""
        if meta.columns != list(self.names):
            return f"columns are {', '.join(meta.columns)}, the view has {', '.join(self.names)}"
        return "" if meta.digest == self.digest else "rows were written for another schema of the view"


def _cast(info: FieldInfo) -> Cast | None:
    """From the stored number to the field's type; None where that is a float."""
    kinds = {scalar_type(option) for option in alternatives(info.annotation)}
    if float in kinds:
        return None
    return _flag if bool in kinds else _whole


def _flag(number: float) -> bool | float:
    return bool(number) if number in (0.0, 1.0) else number


def _whole(number: float) -> int | float:
    """An integer where it is one: the schema's check refuses what is left."""
    return int(number) if number.is_integer() else number
