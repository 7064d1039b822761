"""A JSON document of which some places hold something else: what JSON text may say there, and what it may not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from tests.bodies import ODD_TEXTS

_MARK = "\u0001odd\u0001"
_RAW = (*ODD_TEXTS, '"' + "x" * 3000 + '"', "[" * 40 + "]" * 40, "\\", '"\\u12"', "nul", "\u00ff", "1,2", "")


def places(document: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every value in a document."""
    yield at
    if isinstance(document, dict | list):
        for key, value in document.items() if isinstance(document, dict) else enumerate(document):
            yield from places(value, (*at, key))


@st.composite
def mangled(draw: st.DrawFn, document: Any) -> bytes:
    """JSON text of the document, now and then as it is, mostly with one or two of its values replaced or left out."""
    copy = json.loads(json.dumps(document))
    ways = sorted(places(document), key=str)
    for _ in range(draw(st.integers(0, 2))):
        copy = _replaced(copy, draw(st.sampled_from(ways)), leave_out=draw(st.integers(0, 3)) == 0)
    text = json.dumps(copy)
    while json.dumps(_MARK) in text:
        text = text.replace(json.dumps(_MARK), draw(st.sampled_from(_RAW)), 1)
    twice = draw(st.integers(0, 5)) == 0 and len(text) > 2
    text = f"{text[:-1]}, {text[1:]}" if twice else text  # every member is there twice
    encoded = text.encode("utf-8", "surrogatepass")
    return encoded[: draw(st.integers(0, len(encoded)))] if draw(st.integers(0, 9)) == 0 else encoded


def _replaced(document: Any, way: tuple[Any, ...], *, leave_out: bool) -> Any:
    if not way:
        return _MARK
    holder = document
    for key in way[:-1]:
        try:
            holder = holder[key]
        except (TypeError, KeyError, IndexError):  # replaced before
            return document
    if isinstance(holder, dict) and leave_out:
        holder.pop(way[-1], None)
    elif isinstance(holder, dict) or (isinstance(holder, list) and way[-1] < len(holder)):
        holder[way[-1]] = _MARK
    return document
