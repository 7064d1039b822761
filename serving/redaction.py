"""Which fields of which models are never written down: `LOG_REDACT_FIELDS`, and the log that keeps to it.

Stands between the predictor and the spool, so that nothing behind it can tell what it never got. Without the setting it
is not there at all.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from typing import Protocol

import msgspec

from modelkit.definition import ModelDefinition
from records.prediction_record import PredictionRecord
from records.withheld import without

SETTING = "LOG_REDACT_FIELDS"
NOTHING: frozenset[str] = frozenset()


class Redaction:
    """Falsy where nothing is redacted."""

    def __init__(self, fields: Mapping[str, frozenset[str]]) -> None:
        self._fields = dict(fields)

    def __bool__(self) -> bool:
        return bool(self._fields)

    def of(self, model: str) -> frozenset[str]:
        """The fields of the model's rows that are never written down; none for most models."""
        return self._fields.get(model, NOTHING)

    def record(self, record: PredictionRecord) -> PredictionRecord:
        fields = self._fields.get(record.model)
        if fields is None:
            return record
        features = msgspec.Raw(without(record.features, fields))
        return msgspec.structs.replace(record, features=features)


class RecordLog(Protocol):
    """Where the predictor puts its records."""

    def append(self, records: list[PredictionRecord]) -> Awaitable[None]:
        """Takes them at once; to be awaited until they are as safe as they are to be."""


class RedactedLog:
    """RecordLog, for deployments that redact something."""

    def __init__(self, log: RecordLog, redaction: Redaction) -> None:
        self._log, self._redaction = log, redaction

    def append(self, records: list[PredictionRecord]) -> Awaitable[None]:
        return self._log.append([self._redaction.record(record) for record in records])


def parse_redaction(text: str, catalog: Mapping[str, ModelDefinition]) -> Redaction:
    """Raises ValueError, naming the setting, for a model or a field that is not there."""
    fields: dict[str, frozenset[str]] = {}
    for item in _items(text):
        model, dot, name = item.partition(".")
        definition = catalog.get(model)
        if not dot or definition is None:
            raise ValueError(f"{SETTING}: {item} is not <model>.<field> of a model of the catalog")
        if name not in definition.row.model_fields:
            raise ValueError(f"{SETTING}: rows of {model} have no field {name}")
        fields[model] = fields.get(model, NOTHING) | {name}
    return Redaction(fields)


def _items(text: str) -> Sequence[str]:
    return [item.strip() for item in text.split(",") if item.strip()]
