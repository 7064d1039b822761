"""The candidate beside the champion, on rows that neither of the models compared has learned from.

The candidate is represented by its evaluation model, because its servable has learned from its own test rows. The champion
is represented by what serves where its data ended before those rows, and otherwise by its own evaluation model.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from modelkit.columns import feature_matrix
from modelkit.definition import ModelDefinition, Task
from modelkit.errors import ServableError
from modelkit.gates import Gate
from modelkit.runtime import CompiledModel
from modelkit.servable import Servable, load_servable
from training.errors import NotComparable
from training.evaluation.scores import main_metric, score
from training.files import read_json
from training.frames import to_columns
from training.registry import EVALUATION, SERVABLE, Registry
from training.version import Version

# A newer model may be this much worse than the one that serves; beyond it, promoting it would be a step back.
TOLERATED_RATIO = 1.02
TOLERATED_LOSS = 0.02
METRIC = "champion.difference"
LEAST_ROWS = 30  # of a test slice of which the champion knows a part; fewer would be a game of dice


def fetch_servable(
    definition: ModelDefinition, registry: Registry, version: Version, folder: Path
) -> Servable:
    """Downloaded and verified as serving will do it. Raises ServableError for a version that does not fit."""
    path = registry.download(version, SERVABLE, folder)
    return load_servable(path, definition, digest=version.digest)


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Figures of both versions and the gate on their difference; no gate where nothing could be compared.

    `note` says what was compared on what, or why nothing was.
    """

    note: str
    metrics: dict[str, float] = field(default_factory=dict)
    gate: Gate | None = None


@dataclass(frozen=True, kw_only=True)
class _Ground:
    """Rows that are new to both, and the champion's model to try on them."""

    rows: pd.DataFrame
    champion: CompiledModel
    wording: str


class _Contender:
    """One version's files, below a folder of its own."""

    def __init__(
        self, definition: ModelDefinition, registry: Registry, version: Version, folder: Path
    ) -> None:
        self.number = version.number
        self._registry, self._version, self._folder = registry, version, folder
        folder.mkdir()
        self.servable = fetch_servable(definition, registry, version, folder)

    def evidence(self, name: str) -> Path:
        artifact = f"{EVALUATION}/{name}"
        if not self._registry.holds(self._version, artifact):
            raise NotComparable(f"version {self.number} was registered without {artifact}")
        return self._registry.download(self._version, artifact, self._folder)

    def evaluated(self) -> CompiledModel:
        return CompiledModel.load(self.evidence("model.onnx"))

    def evaluated_until(self) -> pd.Timestamp:
        return pd.Timestamp(read_json(self.evidence("train.json"))["evaluated"]["trained_until"])


def compare(
    definition: ModelDefinition, registry: Registry, *, candidate: Version, champion: Version
) -> Comparison:
    """On the candidate's test slice, as far as it is fair."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        ours = _Contender(definition, registry, candidate, root / "candidate")
        try:
            theirs = _Contender(definition, registry, champion, root / "champion")
            ground = _ground(pd.read_parquet(ours.evidence("test_rows.parquet")), ours, theirs)
            return _judged(definition, ground, ours, theirs)
        except ServableError:
            reason = f"version {champion.number} no longer fits this code"
        except NotComparable as error:
            reason = str(error)
    return Comparison(note=f"champion: NOT COMPARED with version {champion.number}: {reason}")


def _ground(rows: pd.DataFrame, ours: _Contender, theirs: _Contender) -> _Ground:
    if "time" not in rows or rows["time"].isna().all():
        return _same_data(rows, ours, theirs)
    until = theirs.servable.card.trained_until
    if until is not None and pd.Timestamp(until) < rows["time"].min():
        wording = "as it serves: its data ended before these rows"
        return _Ground(rows=rows, champion=theirs.servable.compiled, wording=wording)
    unknown = rows[rows["time"] > theirs.evaluated_until()]
    if len(unknown) < LEAST_ROWS:
        raise NotComparable(f"its evaluation model knows all but {len(unknown)} of {len(rows)} test rows")
    return _Ground(rows=unknown, champion=theirs.evaluated(), wording="by its evaluation model")


def _same_data(rows: pd.DataFrame, ours: _Contender, theirs: _Contender) -> _Ground:
    """Without time, only equal data have equal splits, and only then are the test rows new to both."""
    if ours.servable.card.data_hash != theirs.servable.card.data_hash:
        raise NotComparable(
            "rows have no time, and it may have learned from the test rows of these other data"
        )
    return _Ground(rows=rows, champion=theirs.evaluated(), wording="by its evaluation model, on equal data")


def _judged(definition: ModelDefinition, ground: _Ground, ours: _Contender, theirs: _Contender) -> Comparison:
    our_figure = _figure(definition, ours.evaluated(), ground.rows)
    their_figure = _figure(definition, ground.champion, ground.rows)
    if definition.task is Task.REGRESSION:
        loss, allowed = our_figure - their_figure, their_figure * (TOLERATED_RATIO - 1)
    else:
        loss, allowed = their_figure - our_figure, TOLERATED_LOSS
    return Comparison(
        note=f"champion: version {theirs.number} {ground.wording}, {len(ground.rows)} rows",
        metrics={METRIC: loss, "champion.theirs": their_figure, "champion.ours": our_figure},
        gate=Gate(name=f"champion (version {theirs.number})", metric=METRIC, at_most=allowed),
    )


def _figure(definition: ModelDefinition, model: CompiledModel, rows: pd.DataFrame) -> float:
    features = definition.build(to_columns(rows, definition.row))
    outputs = model.run(feature_matrix(features, definition.feature_columns))
    return score(definition, rows["label"].to_numpy(), outputs)[main_metric(definition)]
