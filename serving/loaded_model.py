"""One model version ready to answer: its schema's decoders, its feature code and its compiled graph behind one call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from modelkit.columns import feature_matrix
from modelkit.definition import ModelDefinition
from modelkit.errors import ServableError
from modelkit.fingerprint import Fingerprint
from modelkit.rows import RowReader
from modelkit.servable import Servable, load_servable
from serving.outcome import Outcome


@dataclass(frozen=True)
class LoadedModel:
    """A version that fits this image. `version` is the registry's number, or `version_of_digest` where there is none.

    `reader` reads requests, `rows` what features are built from; they are one unless the model has a view. `folder` is
    where it was loaded from.
    """

    definition: ModelDefinition
    version: str
    servable: Servable
    reader: RowReader
    rows: RowReader
    fingerprint: Fingerprint
    folder: Path

    @property
    def name(self) -> str:
        return self.definition.name

    @cached_property
    def version_header(self) -> bytes:
        return self.version.encode()

    def predict(self, rows: Sequence[msgspec.Struct]) -> list[Outcome]:
        """One outcome per row, from one call of the compiled model."""
        definition = self.definition
        features = definition.build(self.rows.columns(rows))
        outputs = self.servable.compiled.run(feature_matrix(features, definition.feature_columns))
        if not definition.classes:
            return [Outcome(*values) for values in outputs.tolist()]  # prediction, and its bounds if any
        classes = definition.classes
        return [
            Outcome(classes[best], probabilities=dict(zip(classes, probabilities, strict=True)))
            for best, probabilities in zip(outputs.argmax(axis=1).tolist(), outputs.tolist(), strict=True)
        ]

    def could_say(self, outcome: Outcome) -> bool:
        """Whether this is an answer of such a model: what was kept elsewhere, under one of our keys, may be anything."""
        if not outcome.is_finite():
            return False
        classes = self.definition.classes
        if not classes:
            return isinstance(outcome.prediction, float) and (outcome.lower is None) == (
                outcome.upper is None
            )
        chances = outcome.probabilities
        return outcome.prediction in classes and chances is not None and chances.keys() == set(classes)


def version_of_digest(digest: str) -> str:
    """The version's name where no registry gave one: the start of its servable's digest."""
    return digest.removeprefix("sha256:")[:12]


def load_model(
    folder: Path, definition: ModelDefinition, *, version: str, digest: str | None = None
) -> LoadedModel:
    """A version from its folder, checked against this image and warmed up.

    Raises ServableError: the caller keeps what it served before.
    """
    servable = load_servable(folder, definition, digest=digest)
    reader = RowReader(definition.request)
    model = LoadedModel(
        definition=definition,
        version=version,
        servable=servable,
        reader=reader,
        rows=reader if definition.view is None else RowReader(definition.row),
        fingerprint=Fingerprint(
            model=definition.name, version=version, contract_digest=servable.contract.digest
        ),
        folder=folder.resolve(),
    )
    outcomes = model.predict([model.rows.from_object(row) for row in _warm_up_rows(model)])
    if not all(outcome.is_finite() for outcome in outcomes):
        raise ServableError(f"{definition.name}: a warm-up row gave no finite prediction")
    return model


def _warm_up_rows(model: LoadedModel) -> list[dict[str, Any]]:
    """The definition's examples, or golden rows where examples only name what has to be looked up."""
    if model.definition.view is None:
        return [dict(example) for example in model.definition.examples]
    return model.servable.contract.golden_rows
