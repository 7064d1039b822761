"""One row in the body formats of the servers, with marks where wrk varies it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MARK = re.compile(r"@@([^|@]+)\|([^|@]+)\|([^|@]+)@@")


@dataclass(frozen=True, kw_only=True)
class Varied:
    """A field that makes every body unique: `base + fine * (n % 1000) + coarse * (n // 1000)` for request n."""

    name: str
    base: float
    fine: float
    coarse: float

    @property
    def mark(self) -> str:
        return f"@@{self.base!r}|{self.fine!r}|{self.coarse!r}@@"


@dataclass(frozen=True, kw_only=True)
class Row:
    """An example row and what varies in it."""

    values: Mapping[str, Any]
    varied: Sequence[Varied]

    def fixed(self) -> dict[str, Any]:
        return dict(self.values)

    def marked(self) -> dict[str, Any]:
        return {**self.values, **{item.name: item.mark for item in self.varied}}


def vary(values: Mapping[str, Any]) -> Row:
    """Varies two numbers of an example by so little that they stay within any sensible bounds."""
    names = [name for name, value in values.items() if isinstance(value, float) and not value.is_integer()][
        :2
    ]
    if len(names) < 2:
        raise ValueError("an example with two fractional numbers is needed")
    first, second = names
    return Row(
        values=values,
        varied=(
            Varied(name=first, base=values[first], fine=1e-5, coarse=0.0),
            Varied(name=second, base=values[second], fine=0.0, coarse=1e-5),
        ),
    )


def template(content: Any) -> str:
    """The JSON text of a body; marks lose their quotes, so that numbers stand in their place."""
    return json.dumps(content, separators=(",", ":")).replace('"@@', "@@").replace('@@"', "@@")


def filled(marked: str, number: int) -> str:
    """The body that wrk.lua sends as request `number`."""

    def value(mark: re.Match[str]) -> str:
        base, fine, coarse = map(float, mark.groups())
        return f"{base + fine * (number % 1000) + coarse * (number // 1000):.9f}"

    return MARK.sub(value, marked)


def plain(row: Mapping[str, Any]) -> Any:
    return row


def bentoml_row(row: Mapping[str, Any]) -> Any:
    return {"row": row}


def bentoml_rows(row: Mapping[str, Any]) -> Any:
    return {"rows": [row]}


def dataframe_split(row: Mapping[str, Any]) -> Any:
    return {"dataframe_split": {"columns": list(row), "data": [list(row.values())]}}


def v2_columns(row: Mapping[str, Any]) -> Any:
    """Open Inference Protocol v2: one input per column."""
    return {
        "parameters": {"content_type": "pd"},
        "inputs": [_v2_column(name, value) for name, value in row.items()],
    }


def _v2_column(name: str, value: Any) -> dict[str, Any]:
    if isinstance(value, str) and not value.startswith("@@"):
        return {
            "name": name,
            "datatype": "BYTES",
            "shape": [1, 1],
            "data": [value],
            "parameters": {"content_type": "str"},
        }
    return {"name": name, "datatype": "FP64", "shape": [1, 1], "data": [value]}
