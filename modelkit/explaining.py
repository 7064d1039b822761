"""What each field of a row, or each feature of it, has to do with its prediction.

A prediction is compared with those of a stated background: contributions add up to it from the background's mean.
Fields go through the model's feature code, so the answer is in the caller's words; features are what the graph sees.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from modelkit.columns import Columns, feature_matrix
from modelkit.definition import ModelDefinition
from modelkit.errors import DeadlineExceeded, ExplanationFailed
from modelkit.explanation import By, Explanation
from modelkit.fingerprint import canonical
from modelkit.rows import RowReader
from modelkit.servable import Servable
from modelkit.shapley import (
    Bools,
    Estimate,
    Floats,
    Game,
    Places,
    by_permutations,
    exact,
    exact_cost,
    permutation_cost,
)
from modelkit.tree_shap import TreeValues

ROWS_PER_CALL = 2048
FEWEST_PAIRS, MOST_PAIRS = 2, 32
TREE_TOLERANCE = 1e-5  # trees are summed in double precision here, and in single precision there


class Answer(NamedTuple):
    """What is explained, and what it is compared with."""

    prediction: float | str
    value: float
    base_value: float


@dataclass(frozen=True, kw_only=True)
class Effort:
    """`rows` is how many the model may be asked at most (about), `deadline` when to give up (`time.perf_counter`)."""

    rows: int
    deadline: float


class ExplainedModel:
    """One version and the background that its predictions are compared with.

    `graph` is the compiled model's file, read for trees whose contributions need no sampling.
    """

    def __init__(self, definition: ModelDefinition, servable: Servable, *, graph: bytes = b"") -> None:
        self._definition, self._servable = definition, servable
        self._trees = TreeValues(graph, len(definition.feature_columns)) if graph else None
        self._reader = RowReader(definition.row)
        rows, self._source = background_of(servable)
        self._size = len(rows)
        self._columns = self._reader.columns([self._reader.from_object(row) for row in rows])
        self._features = self._matrix(self._columns)
        self._outputs = self._run(self._features)

    def row(self, text: bytes) -> msgspec.Struct:
        return self._reader.decode_one(text)

    def from_object(self, row: dict[str, Any]) -> msgspec.Struct:
        return self._reader.from_object(row)

    def explain(self, row: msgspec.Struct, by: By, effort: Effort) -> Explanation:
        """Raises ExplanationFailed or DeadlineExceeded."""
        columns = self._reader.columns([row])
        features = self._matrix(columns)
        outputs = self._run(features)[0]
        column = int(outputs.argmax()) if self._definition.classes else 0
        if by is By.FIELDS:
            mixed, differs = self._mixed_fields(columns), _differing(columns, self._columns, self._size)
            names = list(self._columns)
        else:
            mixed, differs = self._mixed_features(features), _unequal(features, self._features)
            names = list(self._definition.feature_columns)
        game = Game(
            differs=differs,
            full=float(outputs[column]),
            empty=self._outputs[:, column],
            worth=self._worth(mixed, column, effort.deadline),
        )
        found = self._by_trees(game, features, effort) if by is By.FEATURES else None
        found = found or _solved(game, effort.rows, canonical(row))
        classes = self._definition.classes
        answer = Answer(classes[column] if classes else game.full, game.full, float(game.empty.mean()))
        return self._explanation(names, by, answer, found)

    def _by_trees(self, game: Game, features: NDArray[np.float32], effort: Effort) -> Estimate | None:
        """None where every coalition can be asked for, or where the model is more than the trees that were found in it."""
        if self._trees is None or exact_cost(game.differs) <= effort.rows:
            return None
        contributions = self._trees.of(features, self._features)
        if contributions is None:
            return None
        base, said = float(game.empty.mean()), game.full
        rounding = said - base - math.fsum(contributions)
        if abs(rounding) > TREE_TOLERANCE * max(abs(base), abs(said)):
            return None
        sizes = np.abs(contributions)
        shared = rounding * sizes / max(float(sizes.sum()), np.finfo(float).tiny)
        return Estimate("tree", contributions + shared, None)

    def _mixed_fields(self, row: Columns) -> Callable[[Bools, Places], NDArray[np.float32]]:
        def mixed(masks: Bools, places: Places) -> NDArray[np.float32]:
            columns = {
                name: np.where(masks[:, player], row[name], background[places])
                for player, (name, background) in enumerate(self._columns.items())
            }
            return self._matrix(columns)

        return mixed

    def _mixed_features(self, row: NDArray[np.float32]) -> Callable[[Bools, Places], NDArray[np.float32]]:
        return lambda masks, places: np.where(masks, row, self._features[places])

    def _worth(
        self, mixed: Callable[[Bools, Places], NDArray[np.float32]], column: int, deadline: float
    ) -> Callable[[Bools, Places], Floats]:
        """In pieces: memory stays small, and the deadline is looked at between them."""

        def worth(masks: Bools, places: Places) -> Floats:
            found = np.empty(len(masks))
            for start in range(0, len(masks), ROWS_PER_CALL):
                if time.perf_counter() > deadline:
                    raise DeadlineExceeded
                part = slice(start, start + ROWS_PER_CALL)
                found[part] = self._run(mixed(masks[part], places[part]))[:, column]
            return found

        return worth

    def _matrix(self, columns: Columns) -> NDArray[np.float32]:
        with np.errstate(all="ignore"):  # mixed rows are no real ones: a duration may be negative
            return feature_matrix(self._definition.build(columns), self._definition.feature_columns)

    def _run(self, features: NDArray[np.float32]) -> Floats:
        outputs = self._servable.compiled.run(features).astype(np.float64)
        if not np.isfinite(outputs).all():
            raise ExplanationFailed("the model gave no finite number for a row that is compared")
        return outputs

    def _explanation(self, names: list[str], by: By, answer: Answer, found: Estimate) -> Explanation:
        """The largest contributions first."""
        order = np.argsort(-np.abs(found.contributions), kind="stable").tolist()
        errors = found.error
        return Explanation(
            prediction=answer.prediction,
            value=answer.value,
            base_value=answer.base_value,
            contributions={names[place]: float(found.contributions[place]) for place in order},
            standard_error=None
            if errors is None
            else {names[place]: float(errors[place]) for place in order},
            by=by.value,
            method=found.method,
            background_rows=self._size,
            background_source=self._source,
        )


def background_of(servable: Servable) -> tuple[list[dict[str, Any]], str]:
    """Rows that trained the version; of versions that were compiled before there was a background, their golden rows."""
    sampled = servable.reference.background
    return (sampled, "training") if sampled else (servable.contract.golden_rows, "golden")


def _solved(game: Game, rows: int, row: bytes) -> Estimate:
    """Exact where that asks the model for no more than `rows` rows. A row is always explained by the same permutations."""
    if exact_cost(game.differs) <= rows:
        return exact(game)
    pairs = rows // max(permutation_cost(game.differs), 1)
    seed = int.from_bytes(hashlib.blake2b(row, digest_size=8).digest(), "big")
    pairs = min(max(pairs, FEWEST_PAIRS), MOST_PAIRS)
    return by_permutations(game, pairs=pairs, rng=np.random.default_rng(seed))


def _differing(row: Columns, background: Columns, rows: int) -> Bools:
    parts = [_unequal(row[name][:, np.newaxis], column[:, np.newaxis]) for name, column in background.items()]
    return np.concatenate(parts, axis=1).reshape(rows, len(parts))


def _unequal(row: NDArray[Any], background: NDArray[Any]) -> Bools:
    """Where values differ; missing is the same as missing."""
    unequal: Bools = np.asarray(row != background, dtype=bool)
    if row.dtype.kind in "fM":
        gap = np.isnan if row.dtype.kind == "f" else np.isnat
        unequal &= ~(gap(row) & gap(background))
    return unequal
