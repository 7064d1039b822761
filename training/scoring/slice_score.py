"""How good a servable is on rows that came later: every row sent as a request, answered and compared with its label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import pandas as pd

from modelkit.columns import feature_matrix
from modelkit.definition import ModelDefinition, Task
from modelkit.rows import RowReader
from modelkit.servable import Servable
from training.errors import NothingAnswered
from training.evaluation.diagnostics import Judged, periods
from training.evaluation.required_only import has_optional_fields, without_optional
from training.evaluation.scores import Array, score, score_intervals, slices_of
from training.frames import to_requests
from training.scoring.careful_client import Sent, send

BATCH_ROWS = 1000
MIN_SLICE_ROWS = 10
USUAL_SHARE = 0.99  # a few giant values decide a mean: figures are given without them as well
USUAL, REQUIRED_ONLY = "labels up to the 99th percentile", "required fields only"

Figures = dict[str, float]


@dataclass(frozen=True, kw_only=True)
class SliceScore:
    """Figures by population (`all rows`, `required fields only`, …) and by part (`period=2022-04-01`, `city=urban`).

    `answers` has one row for each of the slice: time, entity, label, prediction, and bounds where there are any.
    """

    rows: int
    answered: int
    sent: Sent
    figures: dict[str, Figures]
    parts: dict[str, Figures]
    answers: pd.DataFrame


def score_slice(
    definition: ModelDefinition, servable: Servable, rows: pd.DataFrame, *, cut: pd.Timestamp | None
) -> SliceScore:
    """`cut` is the time up to which labels trained the servable: figures are given without those rows as well.

    Raises NothingAnswered where not one row makes a request.
    """
    requests = to_requests(rows, definition.row)
    sent = send(definition, requests)
    judged = _judge(definition, servable, rows, sent)
    figures = {"all rows": _figures(judged), **_usual(USUAL, judged), **_unseen(judged, cut)}
    if has_optional_fields(definition):
        bare = send(definition, without_optional(definition, requests))
        asked_barely = _judge(definition, servable, rows, bare)
        figures[REQUIRED_ONLY] = _figures(asked_barely)
        figures |= _usual(f"{REQUIRED_ONLY}, {USUAL}", asked_barely)
    return SliceScore(
        rows=len(rows),
        answered=len(judged.rows),
        sent=sent,
        figures=figures,
        parts=_parts(judged),
        answers=_answers(judged, rows),
    )


def _judge(definition: ModelDefinition, servable: Servable, rows: pd.DataFrame, sent: Sent) -> Judged:
    """The rows that were answered, in batches as a caller would send them."""
    reader = RowReader(definition.row)
    answered = np.array([row is not None for row in sent.rows])
    structs: list[msgspec.Struct] = [row for row in sent.rows if row is not None]
    if not structs:
        reason, _ = sent.refused.most_common(1)[0]
        raise NothingAnswered(f"not one of {len(rows)} rows of {definition.name} makes a request: {reason}")
    outputs = []
    for start in range(0, len(structs), BATCH_ROWS):
        features = definition.build(reader.columns(structs[start : start + BATCH_ROWS]))
        outputs.append(servable.compiled.run(feature_matrix(features, definition.feature_columns)))
    found = np.concatenate(outputs).astype(np.float64)
    has_bounds = definition.task is Task.REGRESSION and found.shape[1] == 3
    return Judged(
        definition=definition,
        rows=rows[answered],
        outputs=found[:, :1] if has_bounds else found,
        bounds=found[:, 1:] if has_bounds else None,
    )


def _figures(judged: Judged, mask: Array | None = None) -> Figures:
    chosen = np.ones(len(judged.rows), dtype=bool) if mask is None else mask
    labels = judged.labels[chosen]
    figures = {"rows": float(len(labels))} | score(judged.definition, labels, judged.outputs[chosen])
    if judged.bounds is not None:
        found = score_intervals(labels, judged.bounds[chosen])
        figures |= {f"interval_{name}": value for name, value in found.items()}
    return figures


def _usual(name: str, judged: Judged) -> dict[str, Figures]:
    if judged.definition.task is Task.CLASSIFICATION:
        return {}
    labels = judged.labels.astype(np.float64)
    usual = labels <= np.quantile(labels, USUAL_SHARE)
    return {name: _figures(judged, usual)}


def _unseen(judged: Judged, cut: pd.Timestamp | None) -> dict[str, Figures]:
    """Nothing to say where no row could have trained the servable."""
    if cut is None:
        return {}
    later = (judged.rows["time"] > cut).to_numpy()
    if later.all() or not later.any():
        return {}
    return {f"rows after the training cut, {cut}": _figures(judged, later)}


def _parts(judged: Judged) -> dict[str, Figures]:
    """Periods, where rows have a time, then slices."""
    time = judged.rows["time"].reset_index(drop=True)
    when = periods(time)
    names = [] if time.isna().all() else sorted(set(when))
    parts = {f"period={name}": _figures(judged, (when == name).to_numpy()) for name in names}
    for name, mask in slices_of(judged.rows, judged.definition, MIN_SLICE_ROWS):
        parts[name] = _figures(judged, mask)
    return parts


def _answers(judged: Judged, rows: pd.DataFrame) -> pd.DataFrame:
    """Rows without an answer stay in, empty."""
    found: dict[str, Any] = {"prediction": judged.answers}
    if judged.bounds is not None:
        found |= {"lower": judged.bounds[:, 0], "upper": judged.bounds[:, 1]}
    answers = pd.DataFrame(found, index=judged.rows.index)
    return rows[["time", "entity", "label"]].join(answers)
