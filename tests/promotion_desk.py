"""What a promotion needs, for tests: a registry, a ledger with its prediction log, and a maker of versions."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Engine

from modelkit.definition import ModelDefinition
from records.prediction_log import insert_predictions
from tests.prediction_records import made_record
from tests.tiny_versions import TinyVersions
from training.promotion.judging import Rules
from training.promotion.promote import Promoter
from training.registry import Registry
from training.version import PRODUCTION


@dataclasses.dataclass(frozen=True)
class Desk:
    """A registry, a ledger with its prediction log, and a maker of versions."""

    uri: str
    ledger: Engine
    folder: Path

    @property
    def registry(self) -> Registry:
        return Registry(self.uri)

    def versions(self, definition: ModelDefinition) -> TinyVersions:
        return TinyVersions(definition, self.uri, self.folder)

    def promoter(self, definition: ModelDefinition, **rules: Any) -> Promoter:
        return Promoter(
            definition, self.registry, self.ledger, Rules(reports=self.folder / "reports", **rules)
        )

    def holder(self, definition: ModelDefinition, alias: str = PRODUCTION) -> str | None:
        found = self.registry.by_alias(definition.registry_name, alias)
        return found.number if found else None

    def log(self, definition: ModelDefinition, *features: dict[str, Any], **changes: Any) -> None:
        records = [
            made_record(
                f"p-{number}",
                model=definition.name,
                features=msgspec.Raw(msgspec.json.encode(row)),
                created_at=float(number),
                **changes,
            )
            for number, row in enumerate(features)
        ]
        with self.ledger.begin() as connection:
            insert_predictions(connection, records)


def answered(definition: ModelDefinition, *, bias: float = 0.0) -> list[float]:
    """What a tiny version of this bias says to the definition's examples."""
    from modelkit.columns import feature_matrix
    from modelkit.rows import RowReader
    from modelkit.runtime import CompiledModel
    from tests.tiny_servables import tiny_graph

    reader = RowReader(definition.row)
    rows = [reader.from_object(dict(example)) for example in definition.examples]
    matrix = feature_matrix(definition.build(reader.columns(rows)), definition.feature_columns)
    return [float(value) for value in CompiledModel(tiny_graph(definition, bias=bias)).run(matrix)[:, 0]]
