"""How a logged row says that values of it are not there: redacted before it was written, or erased afterwards.

A marker no request schema knows stands beside the fields, so that whoever asks a model such a row again, and does not look
for it, is refused the row, instead of being answered for another one. Light: the request process imports it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import msgspec

MARKER = "$withheld"
EVERYTHING = "*"
ERASED = msgspec.json.encode({MARKER: [EVERYTHING]})

_NULL = msgspec.Raw(b"null")
_decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_encode = msgspec.json.Encoder().encode


def without(features: bytes | msgspec.Raw, fields: Collection[str]) -> bytes:
    """A row as JSON with null in the place of these fields, and the marker; other values stay as they are written."""
    row = _decode(features)
    row |= dict.fromkeys((name for name in fields if name in row), _NULL)
    row[MARKER] = msgspec.Raw(_encode(sorted(fields)))
    return _encode(row)


def withheld(features: Any) -> tuple[str, ...]:
    """The fields whose values are not there; (EVERYTHING,) for a row that was erased, () for one that is whole."""
    return tuple(features.get(MARKER, ())) if isinstance(features, Mapping) else ()


def shown(features: Any) -> Any:
    """The row without the marker."""
    if isinstance(features, Mapping) and MARKER in features:
        return {name: value for name, value in features.items() if name != MARKER}
    return features
