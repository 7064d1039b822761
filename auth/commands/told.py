"""What a command answers, for people and, with `--output json`, for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Told:
    """`text` for people; `facts` are the same for programs. A secret is in `text` where it was asked for, never in `repr`."""

    text: str = field(repr=False)
    facts: Mapping[str, Any] | Sequence[Row] = field(repr=False)

    def shown(self, output: str) -> str:
        if output == "json":
            return orjson.dumps(self.facts, option=orjson.OPT_INDENT_2).decode()
        return self.text


def table(rows: Sequence[Row], *, nothing: str) -> Told:
    """Columns as wide as what they hold, named as the members of a row."""
    if not rows:
        return Told(nothing, [])
    lines = [
        [name.replace("_", " ") for name in rows[0]],
        *([_cell(cell) for cell in row.values()] for row in rows),
    ]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    text = "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
    return Told(text, rows)


def _cell(value: Any) -> str:
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, Mapping):
        return " ".join(f"{name}={fact}" for name, fact in value.items())
    if value in (None, False, "", 0):
        return "-"
    return "yes" if value is True else str(value)
