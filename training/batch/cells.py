"""One cell as the JSON value that a caller would have sent: the exact reading, which decides wherever there is doubt."""

from __future__ import annotations

import json
import re
from datetime import date, datetime
from decimal import Decimal
from enum import Enum, auto
from typing import Any

import msgspec

NUMBER = re.compile(r"-?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
DIGITS = re.compile(r"-?\d{1,400}", re.ASCII)  # more digits are no number that a column could hold
TRUTHS = {"true": True, "false": False, "1": True, "0": False, "1.0": True, "0.0": False}


class Kind(Enum):
    """What a request field holds."""

    NUMBER = auto()
    INTEGER = auto()
    TRUTH = auto()
    TIME = auto()
    DATE = auto()
    TEXT = auto()
    OTHER = auto()


# Beyond it a float64 no longer holds every integer.
EXACT_INTEGER = 2.0**53


def from_text(text: str, kind: Kind) -> Any:
    """What cannot be read stays text, which the schema then refuses for what it is."""
    if kind in (Kind.NUMBER, Kind.INTEGER):
        if DIGITS.fullmatch(text):
            return int(text)
        return _number(float(text), kind) if NUMBER.fullmatch(text) else text
    if kind is Kind.TRUTH:
        return TRUTHS.get(text.lower(), text)
    return text


def from_typed(value: Any, kind: Kind) -> Any:
    """A value of a Parquet column. NaN means absent, and 0.0 may mean false: so pandas writes columns with gaps."""
    if isinstance(value, float | Decimal):
        number = float(value)
        if number != number:
            return None
        return bool(number) if kind is Kind.TRUTH and number in (0, 1) else _number(number, kind)
    if kind is Kind.TRUTH and value in (0, 1):
        return bool(value)
    return value.isoformat() if isinstance(value, datetime | date) else value


def _number(value: float, kind: Kind) -> float | int:
    """`3.0` is the integer 3, because columns of integers with gaps are written so."""
    whole = kind is Kind.INTEGER and value.is_integer() and abs(value) < EXACT_INTEGER
    return int(value) if whole else value


def to_json(value: Any) -> bytes:
    """As a caller writes it: integers of any size, and what JSON has no word for as text."""
    return json.dumps(value, default=str).encode()


class CellReader:
    """The schema's own verdict on one field's value."""

    def __init__(self, annotation: Any, kind: Kind) -> None:
        self.kind = kind
        self._decode = msgspec.json.Decoder(annotation).decode

    def read(self, value: Any) -> tuple[Any, bool]:
        """The value as a row would hold it, and whether it could be read."""
        try:
            return self._decode(to_json(value)), True
        except msgspec.MsgspecError:
            return None, False
