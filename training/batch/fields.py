"""A whole column of one request field at once: values where there is no doubt, and which rows need the exact reader.

The rule that a property test holds: a value that is accepted here is the value that the exact reader gives.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import inspect
from numpy.typing import NDArray

from modelkit.columns import column_dtype
from modelkit.schema import RequestModel, compile_struct
from training.batch.cells import EXACT_INTEGER, NUMBER, CellReader, Kind, from_text, from_typed

FIRST_TIME = np.datetime64("0001-01-01T00:00:00", "s")
LAST_TIME = np.datetime64("9999-12-31T23:59:59", "s")
# `2022-03-18T19:45:00` and no other spelling: fractions and zones are for the exact reader.
TIME_LETTERS, DATE_LETTERS = 19, 10
KINDS: dict[type, Kind] = {
    inspect.FloatType: Kind.NUMBER,
    inspect.IntType: Kind.INTEGER,
    inspect.BoolType: Kind.TRUTH,
    inspect.DateTimeType: Kind.TIME,
    inspect.DateType: Kind.DATE,
    inspect.StrType: Kind.TEXT,
    inspect.LiteralType: Kind.TEXT,
}

Values = NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Converted:
    """`values` in the dtype of a request column, worthless where `doubtful`."""

    values: Values
    doubtful: NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Field:
    """One field of a request, as far as a whole column can be held to it."""

    name: str
    kind: Kind
    dtype: np.dtype[Any]
    required: bool
    default: Any
    bounds: Any
    reader: CellReader

    def cell(self, value: Any, *, is_text: bool) -> Any:
        return from_text(value, self.kind) if is_text else from_typed(value, self.kind)

    def convert(self, column: Any, *, is_text: bool) -> Converted:
        """`column` is an Arrow array; `is_text` says that all its cells are text, numbers too."""
        convert = {
            Kind.NUMBER: _numbers,
            Kind.INTEGER: _numbers,
            Kind.TIME: _times,
            Kind.DATE: _times,
            Kind.TRUTH: _by_value,
            Kind.TEXT: _by_value,
        }.get(self.kind)
        if convert is None or self.bounds is None or not (is_text or _is_plain(column.type, self.kind)):
            return self.all_doubtful(len(column))
        found = convert(self, column, is_text)
        if not column.null_count and not pa.types.is_floating(column.type):
            return found
        absent = np.asarray(column.is_null(nan_is_null=True))
        if not absent.any():
            return found
        return self._with_absent(found, absent)

    def all_doubtful(self, rows: int) -> Converted:
        return Converted(values=np.empty(rows, dtype=self.dtype), doubtful=np.ones(rows, dtype=bool))

    def all_absent(self, rows: int) -> Converted:
        """The column of a field that the input does not have."""
        empty = Converted(values=np.empty(rows, dtype=self.dtype), doubtful=np.zeros(rows, dtype=bool))
        return self._with_absent(empty, np.ones(rows, dtype=bool))

    def _with_absent(self, found: Converted, absent: NDArray[np.bool_]) -> Converted:
        values = found.values if found.values.flags.writeable else found.values.copy()
        values[absent] = (
            np.array([self.default], dtype=self.dtype)[0] if not self.required else values[absent]
        )
        return Converted(values=values, doubtful=np.where(absent, self.required, found.doubtful))


def fields_of(request: type[RequestModel]) -> list[Field]:
    """In the order of the schema. What is not known to be checkable column by column is left to the exact reader."""
    struct = compile_struct(request)
    declared: Any = inspect.type_info(struct)
    annotations = {item.name: item.type for item in msgspec.structs.fields(struct)}
    found = []
    for item in declared.fields:
        bounds, kind = _only_kind(item.type)
        found.append(
            Field(
                name=item.name,
                kind=kind,
                dtype=column_dtype(request.model_fields[item.name].annotation),
                required=item.required,
                default=None if item.required else item.default,
                bounds=bounds,
                reader=CellReader(annotations[item.name], kind),
            )
        )
    return found


def _only_kind(declared: Any) -> tuple[Any, Kind]:
    """The bounds of a field that a whole column can be held to, otherwise None; and how its cells are read."""
    options = declared.types if isinstance(declared, inspect.UnionType) else (declared,)
    present = [option for option in options if not isinstance(option, inspect.NoneType)]
    kinds = {KINDS.get(type(option), Kind.OTHER) for option in present}
    if kinds == {Kind.NUMBER, Kind.INTEGER}:
        return None, Kind.NUMBER
    simple = len(present) == 1 and getattr(present[0], "multiple_of", None) is None
    return (present[0] if simple else None), (kinds.pop() if len(kinds) == 1 else Kind.OTHER)


def _is_plain(kind: Any, wanted: Kind) -> bool:
    """Whether a typed column can be checked as a whole."""
    types = pa.types
    number = types.is_integer(kind) or types.is_floating(kind)
    plain: dict[Kind, bool] = {
        Kind.NUMBER: number,
        Kind.INTEGER: number,
        Kind.TIME: types.is_timestamp(kind) and kind.tz is None,
        Kind.DATE: types.is_date(kind),
        Kind.TRUTH: types.is_boolean(kind) or number,
        Kind.TEXT: types.is_string(kind) or types.is_large_string(kind),
    }
    return plain[wanted]


def _numbers(field: Field, column: Any, is_text: bool) -> Converted:
    numbers, unread = _cast_numbers(column) if is_text else (column.cast(pa.float64(), safe=False), None)
    if numbers.null_count:
        numbers = numbers.fill_null(math.nan)
    values: Values = np.from_dlpack(numbers)  # `to_numpy` would import pandas first
    good = np.isfinite(values) & (np.abs(values) < EXACT_INTEGER)
    if field.kind is Kind.INTEGER:
        good &= np.floor(values) == values
        values = values + 0.0  # an integer has no negative zero
    limits = (
        (field.bounds.ge, np.greater_equal),
        (field.bounds.gt, np.greater),
        (field.bounds.le, np.less_equal),
        (field.bounds.lt, np.less),
    )
    for limit, compare in limits:
        if limit is not None:
            good &= compare(values, limit)
    doubtful = ~good if unread is None else ~good | unread
    return Converted(values=values, doubtful=doubtful)


def _cast_numbers(column: Any) -> tuple[Any, NDArray[np.bool_] | None]:
    try:
        return column.cast(pa.float64()), None
    except pa.ArrowInvalid:
        readable = pc.match_substring_regex(column, f"^(?:{NUMBER.pattern})$").fill_null(True)
    try:
        numbers = pc.if_else(readable, column, pa.scalar(None, column.type)).cast(pa.float64())
    except pa.ArrowInvalid:
        return pa.nulls(len(column), pa.float64()), np.ones(len(column), dtype=bool)
    return numbers, ~np.asarray(readable)


def _times(field: Field, column: Any, is_text: bool) -> Converted:
    letters = TIME_LETTERS if field.kind is Kind.TIME else DATE_LETTERS
    usual = None
    if is_text:
        usual = pc.equal(pc.binary_length(column), letters).fill_null(False)
        if not pc.all(usual).as_py():
            column = pc.if_else(usual, column, pa.scalar(None, column.type))
    precise = _naive_times(column)
    values = precise.astype("datetime64[s]")
    good = (values == precise) & (values >= FIRST_TIME) & (values <= LAST_TIME)
    return Converted(values=values, doubtful=~good if usual is None else ~(good & np.asarray(usual)))


def _naive_times(column: Any) -> Values:
    """NaT for what is no time."""
    if not pa.types.is_timestamp(column.type):
        column = _cast_times(column)
    if column.null_count:
        times: Values = column.to_numpy(zero_copy_only=False)
        return times
    unit = f"datetime64[{column.type.unit}]"
    return np.from_dlpack(column.view(pa.int64())).view(unit)


def _cast_times(column: Any) -> Any:
    try:
        return column.cast(pa.timestamp("s"))
    except pa.ArrowInvalid:
        form = "%Y-%m-%dT%H:%M:%S" if pc.max(pc.binary_length(column)).as_py() == TIME_LETTERS else "%Y-%m-%d"
    # It reads 30 February as 2 March: what was read must give the text again.
    read = pc.strptime(column, format=form, unit="s", error_is_null=True)
    same = pc.equal(pc.strftime(read, format=form), column)
    return pc.if_else(same, read, pa.scalar(None, read.type))


def _by_value(field: Field, column: Any, is_text: bool) -> Converted:
    """The exact verdict, once for every distinct value."""
    encoded = column.dictionary_encode()
    verdicts = [
        field.reader.read(field.cell(value, is_text=is_text)) for value in encoded.dictionary.to_pylist()
    ]
    absent = [(None, True)]  # where the code is -1
    values = np.array([value for value, _ in verdicts + absent], dtype=field.dtype)
    readable = np.array([ok for _, ok in verdicts + absent], dtype=bool)
    codes = encoded.indices.fill_null(len(verdicts)) if encoded.null_count else encoded.indices
    codes = np.from_dlpack(codes)
    return Converted(values=values[codes], doubtful=~readable[codes])
