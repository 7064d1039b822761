"""The figures of one scrape, read from Prometheus' text format."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_LINE = re.compile(
    r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? ([-+]?(?:[0-9.]+(?:[eE][-+]?[0-9]+)?|Inf|NaN))(?: [0-9]+)?"
)
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"')
_ESCAPES = {r"\\": "\\", r"\"": '"', r"\n": "\n"}


@dataclass(frozen=True)
class Sample:
    name: str
    labels: Mapping[str, str]
    value: float


class Scrape:
    """All samples; a name that was never exposed has none."""

    def __init__(self, text: str) -> None:
        self._samples = list(_samples(text))

    def named(self, name: str, **labels: str) -> list[Sample]:
        return [
            sample
            for sample in self._samples
            if sample.name == name and all(sample.labels.get(key) == value for key, value in labels.items())
        ]

    def total(self, name: str, **labels: str) -> float:
        return sum(sample.value for sample in self.named(name, **labels))


def _samples(text: str) -> Iterator[Sample]:
    for line in text.splitlines():
        match = _LINE.fullmatch(line.strip())
        if match is None or line.startswith("#"):
            continue
        labels = {name: _unescaped(value) for name, value in _LABEL.findall(match[2] or "")}
        yield Sample(match[1], labels, float(match[3]))


def _unescaped(value: str) -> str:
    return re.sub(r'\\[\\"n]', lambda found: _ESCAPES[found[0]], value)
