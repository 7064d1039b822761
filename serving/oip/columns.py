"""From a tensor to the values of one field, exactly or not at all: a number that would change is refused."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from serving.oip.tensors import BOOL, BYTES, FP64, INT64, NUMERIC

# The types of elements that JSON may hold where a datatype is declared.
_IN_JSON: dict[str, frozenset[type]] = {
    BYTES: frozenset({str, bytes, type(None)}),
    BOOL: frozenset({bool, type(None)}),
    "FP": frozenset({float, int, type(None)}),
    "INT": frozenset({int, type(None)}),
}
_SAFE_INTEGER = 2**53


class BadElements(Exception):
    """Elements of a tensor that are no values of it, by index."""

    def __init__(self, found: dict[int, str]) -> None:
        super().__init__("elements that are no values of the tensor")
        self.found = found


def values_of(data: Any, datatype: str, wanted: str) -> list[Any]:
    """`data`, flat, as values of a field whose own datatype is `wanted`; NaN is null. Raises BadElements."""
    if isinstance(data, np.ndarray):
        return _from_array(data, wanted)
    _check_types(data, datatype)
    if datatype == wanted == FP64:
        return data  # type: ignore[no-any-return]
    if datatype == BYTES:
        return _texts(data)
    if datatype == BOOL:
        return data  # type: ignore[no-any-return]
    return _narrowed(data, datatype, wanted)


def can_hold(datatype: str, wanted: str) -> bool:
    """Whether values of a datatype can be a field's: numbers of any width for numbers, and for true and false (1 and 0,
    because BOOL has nothing to say that a value is absent); nothing else for anything else.
    """
    if wanted == BYTES:
        return datatype == BYTES
    return datatype in NUMERIC and (datatype != BOOL or wanted == BOOL)


def _check_types(data: list[Any], datatype: str) -> None:
    kind = datatype if datatype in (BYTES, BOOL) else "FP" if datatype.startswith("FP") else "INT"
    allowed = _IN_JSON[kind]
    if not allowed.issuperset(map(type, data)):
        raise BadElements(
            {
                place: f"Input should be {_SAID[kind]}"
                for place, value in enumerate(data)
                if type(value) not in allowed
            }
        )


_SAID = {BYTES: "a string", BOOL: "true or false", "FP": "a number", "INT": "an integer"}


def _texts(data: list[Any]) -> list[Any]:
    """Bytes are UTF-8 where a request is binary, and nothing is null, as they cannot say it otherwise."""
    if not data or isinstance(data[0], str):
        return data
    try:
        return [(value.decode() or None) if isinstance(value, bytes) else value for value in data]
    except UnicodeDecodeError:
        raise BadElements(
            {place: "Input should be UTF-8" for place, value in enumerate(data) if not _is_text(value)}
        ) from None


def _is_text(value: Any) -> bool:
    try:
        return value is None or isinstance(value, str) or bool(value.decode()) or True
    except UnicodeDecodeError:
        return False


def _narrowed(data: list[Any], datatype: str, wanted: str) -> list[Any]:
    """JSON's numbers as those of the declared width, and these as the field's."""
    dtype = NUMERIC[datatype]
    known = [value for value in data if value is not None]
    try:
        with np.errstate(over="ignore"):
            array = np.array(known, np.float64 if dtype.kind == "f" else dtype).astype(dtype)
        too_large = {} if dtype.kind != "f" else _where(~np.isfinite(array), f"Input does not fit {datatype}")
    except OverflowError:
        limits = np.iinfo(dtype) if dtype.kind != "f" else np.finfo(dtype)
        too_large = {
            place: f"Input does not fit {datatype}"
            for place, value in enumerate(known)
            if not int(limits.min) <= value <= int(limits.max)
        }
    places = [place for place, value in enumerate(data) if value is not None]
    try:
        if too_large:
            raise BadElements(too_large)
        values = _from_array(array, wanted)
    except BadElements as error:
        raise BadElements({places[place]: detail for place, detail in error.found.items()}) from None
    if len(values) == len(data):
        return values
    each = iter(values)
    return [None if value is None else next(each) for value in data]


def _from_array(array: NDArray[Any], wanted: str) -> list[Any]:
    kind = array.dtype.kind
    if kind == "f" and wanted == FP64:
        values = _plain(array)
        if math.isfinite(
            sum(values)
        ):  # cheaper than numpy's question, and never yes where one of them is not
            return values
    if kind == "f":
        finite = np.isfinite(array)
        if not finite.all():
            return _with_missing(array, finite, wanted)
    if wanted == BOOL and kind != "b":
        return _truths(array)
    if kind == "f":
        return _integers(array) if wanted == INT64 else _plain(array)
    if wanted == FP64:
        _check_exact(array)
        return _plain(array.astype(np.float64))
    return _plain(array)


def _plain(array: NDArray[Any]) -> list[Any]:
    values: list[Any] = array.tolist()
    return values


def _with_missing(array: NDArray[Any], finite: NDArray[Any], wanted: str) -> list[Any]:
    missing = np.isnan(array)
    if not (finite | missing).all():
        raise BadElements(_where(~(finite | missing), "Input should be a finite number"))
    whole = np.where(missing, array.dtype.type(0), array)
    values = _from_array(whole, wanted)
    return [None if gone else value for gone, value in zip(missing.tolist(), values, strict=True)]


def _truths(array: NDArray[Any]) -> list[Any]:
    broken = (array != 0) & (array != 1)
    if broken.any():
        raise BadElements(_where(broken, "Input should be 0 or 1"))
    return _plain(array.astype(np.bool_))


def _integers(array: NDArray[Any]) -> list[Any]:
    broken = array != np.trunc(array)
    if broken.any():
        raise BadElements(_where(broken, "Input should be an integer"))
    return [int(value) for value in array.tolist()]


def _check_exact(array: NDArray[Any]) -> None:
    if array.dtype.itemsize < NUMERIC[FP64].itemsize or not array.size:
        return
    values = array.tolist()
    if max(values) > _SAFE_INTEGER or min(values) < -_SAFE_INTEGER:
        found = {
            place: "Input is no number that FP64 can hold"
            for place, value in enumerate(values)
            if int(float(value)) != value
        }
        if found:
            raise BadElements(found)


def _where(mask: NDArray[Any], detail: str) -> dict[int, str]:
    return {int(place): detail for place in np.flatnonzero(mask)}
