"""The last logged requests, asked again of another version: what would change for callers, before it changes.

A row that was answered and can no longer be answered is a broken promise whatever the averages say.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from modelkit.columns import feature_matrix
from modelkit.definition import ModelDefinition
from modelkit.gates import Gate
from modelkit.rows import RowReader
from modelkit.servable import Servable
from records.logged_predictions import LoggedPrediction
from records.withheld import withheld

PREFIX = "replay."
GATE = Gate(name="replay", metric=f"{PREFIX}unanswerable", at_most=0)
SHOWN = 10

Output = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One row's answer then and now. For a classifier `size` is the largest change of a probability."""

    prediction_id: str
    version: str
    before: float | str
    after: float | str
    size: float


@dataclass(frozen=True, kw_only=True)
class Unanswerable:
    prediction_id: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Replay:
    """All of it. `differences` are in order of their size, largest first. `withheld` rows are not among `rows`: values of
    theirs were redacted or erased, so there is nothing to ask again.
    """

    rows: int
    units: str
    differences: tuple[Difference, ...] = ()
    unanswerable: tuple[Unanswerable, ...] = ()
    metrics: dict[str, float] = field(default_factory=dict)
    withheld: int = 0

    def sentence(self) -> str:
        aside = f" ({self.withheld} redacted or erased)" if self.withheld else ""
        if not self.rows:
            return f"replay: nothing logged yet{aside}"
        said = f"replay: {self.rows} logged requests{aside}, {len(self.unanswerable)} cannot be answered"
        if not self.differences:
            return said
        figures = {name.removeprefix(PREFIX): value for name, value in self.metrics.items()}
        changed = figures.get("changed_share")
        shares = "" if changed is None else f", {changed:.1%} of the classes change"
        return (
            f"{said}; answers differ by {figures['mean_difference']:.4g} {self.units} on average, "
            f"{figures['p95_difference']:.4g} at p95, {figures['max_difference']:.4g} at most{shares}"
        )

    def document(self) -> dict[str, Any]:
        """For the ledger and the reports: figures, and the worst rows by prediction id."""
        return {
            "rows": self.rows,
            "withheld": self.withheld,
            "units": self.units,
            "metrics": self.metrics,
            "unanswerable": [asdict(row) for row in self.unanswerable[:SHOWN]],
            "worst": [asdict(row) for row in self.differences[:SHOWN]],
            "sentence": self.sentence(),
        }


def replay(definition: ModelDefinition, servable: Servable, logged: Sequence[LoggedPrediction]) -> Replay:
    """Every logged row through the features and the compiled model of `servable`, as a request would go."""
    units = definition.units if not definition.classes else "probability"
    reader, readable, rows = RowReader(definition.row), [], []
    unanswerable = []
    whole = [each for each in logged if not withheld(each.features)]
    for each in whole:
        try:
            rows.append(reader.from_object(each.features))
            readable.append(each)
        except msgspec.ValidationError as error:
            reason = f"no longer a valid row: {error}"
            unanswerable.append(Unanswerable(prediction_id=each.prediction_id, reason=reason))
    differences = []
    for each, output in zip(readable, _outputs(definition, servable, reader, rows), strict=True):
        if output is None or not np.isfinite(output).all():
            unanswerable.append(Unanswerable(prediction_id=each.prediction_id, reason="no finite answer"))
        else:
            differences.append(_difference(definition, each, output))
    differences.sort(key=lambda difference: -difference.size)
    return Replay(
        rows=len(whole),
        withheld=len(logged) - len(whole),
        units=units,
        differences=tuple(differences),
        unanswerable=tuple(unanswerable),
        metrics=_metrics(definition, differences, len(unanswerable)),
    )


def _outputs(
    definition: ModelDefinition, servable: Servable, reader: RowReader, rows: Sequence[msgspec.Struct]
) -> Iterator[Output | None]:
    """All rows at once; where that fails, one by one, so that only the rows that fail are counted."""
    if not rows:
        return
    try:
        features = definition.build(reader.columns(rows))
        yield from servable.compiled.run(feature_matrix(features, definition.feature_columns))
    except (
        Exception
    ):  # feature code and runtime may raise anything; the row is then what could not be answered
        if len(rows) == 1:
            yield None
            return
        for row in rows:
            yield from _outputs(definition, servable, reader, [row])


def _difference(definition: ModelDefinition, logged: LoggedPrediction, output: Output) -> Difference:
    before: float | str
    after: float | str
    if not definition.classes:
        before, after = float(logged.predicted_value or 0.0), float(output[0])
        size = abs(after - before)
    else:
        said = logged.prediction or {}
        before, after = str(said.get("prediction")), definition.classes[int(output.argmax())]
        shares = said.get("probabilities") or {}
        size = max(
            abs(float(share) - shares.get(name, 0.0))
            for name, share in zip(definition.classes, output, strict=True)
        )
    return Difference(
        prediction_id=logged.prediction_id, version=logged.version, before=before, after=after, size=size
    )


def _metrics(
    definition: ModelDefinition, differences: Sequence[Difference], unanswerable: int
) -> dict[str, float]:
    found = {"rows": float(len(differences) + unanswerable), "unanswerable": float(unanswerable)}
    if differences:
        sizes = np.array([difference.size for difference in differences])
        found |= {
            "mean_difference": float(sizes.mean()),
            "p95_difference": float(np.quantile(sizes, 0.95)),
            "max_difference": float(sizes.max()),
        }
        if definition.classes:
            changed = [difference.before != difference.after for difference in differences]
            found["changed_share"] = float(np.mean(changed))
    return {f"{PREFIX}{name}": value for name, value in found.items()}
