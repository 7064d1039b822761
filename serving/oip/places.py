"""Where in a request a row's field is: errors are found row by row, and told by tensor and element."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from modelkit.errors import FieldError
from modelkit.schema import MAX_REPORTED_ERRORS
from serving.oip.layout import InputField


class Column(NamedTuple):
    """A field's elements, and where in the request they are: the tensor's place, and the index of row r's element.

    `data` is as it came, flat or (`nested`) with an array per row, of the shape that it should have.
    """

    field: InputField
    datatype: str
    data: Any
    tensor: int
    stride: int = 1
    offset: int = 0
    nested: bool = False

    def elements(self, part: slice) -> Any:
        """Those of consecutive rows."""
        if self.nested:
            return [row[self.offset] for row in self.data[part]]
        if self.stride == 1:
            return self.data[part]
        return self.data[part.start * self.stride + self.offset : part.stop * self.stride : self.stride]

    def pointer(self, row: int) -> str:
        if self.nested:
            return f"/inputs/{self.tensor}/data/{row}/{self.offset}"
        return f"/inputs/{self.tensor}/data/{row * self.stride + self.offset}"


class Pointing:
    """Places of a request's values, for what is found to be wrong with a row later."""

    __slots__ = ("columns",)

    def __init__(self, columns: Sequence[Column]) -> None:
        self.columns = columns

    def __call__(self, place: int, field: str) -> str:
        for column in self.columns:
            if column.field.name == field:
                return column.pointer(place)
        return "/inputs"


def element_errors(found: Mapping[int, str], column: Column) -> list[FieldError]:
    """What is wrong with rows of a column."""
    return [
        FieldError(pointer=column.pointer(row), detail=detail, row=row)
        for row, detail in list(found.items())[:MAX_REPORTED_ERRORS]
    ]
