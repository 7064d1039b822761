"""A named tensor as the Open Inference Protocol has it, and its datatypes: what both of its transports speak of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from modelkit.errors import FieldError, InvalidRequest

Data = Sequence[Any] | NDArray[Any]

BYTES, BOOL, INT64, FP64 = "BYTES", "BOOL", "INT64", "FP64"
# Little endian, whatever machine this is: as the binary forms have it.
NUMERIC: dict[str, np.dtype[Any]] = {
    BOOL: np.dtype(np.bool_),
    **{f"UINT{8 * size}": np.dtype(f"<u{size}") for size in (1, 2, 4, 8)},
    **{f"INT{8 * size}": np.dtype(f"<i{size}") for size in (1, 2, 4, 8)},
    **{f"FP{8 * size}": np.dtype(f"<f{size}") for size in (2, 4, 8)},
}
DATATYPES = frozenset({*NUMERIC, BYTES})


class Tensor(msgspec.Struct, omit_defaults=True, gc=False):
    """As it stands in a request or an answer in JSON. `data` is a list of what JSON can hold, flat or nested by shape, or
    an array where it was binary: so only an array has NaN. Elements of BYTES are text, or bytes that have to be UTF-8.
    """

    name: str
    datatype: str
    shape: tuple[int, ...]
    data: Any = None
    parameters: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET


class TensorMetadata(msgspec.Struct, frozen=True, gc=False):
    """A tensor as a model's metadata announces it; -1 is the number of rows."""

    name: str
    datatype: str
    shape: tuple[int, ...]


def refused(pointer: str, detail: str, *, row: int | None = None) -> InvalidRequest:
    """A refusal for one place of the request."""
    error = FieldError(pointer=pointer, detail=detail, row=row)
    return InvalidRequest("The tensors are not valid", errors=[error])
