"""The shadow report: what the challenger would have answered to the same rows, pair by pair."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import numpy as np
from sqlalchemy import Engine

from modelkit.definition import ModelDefinition
from monitoring import figures, wording
from monitoring.ab import Versions, error_name
from monitoring.figures import DIFFERENCE_SHARES, ENOUGH, LATENCY_SHARES, Difference, ShadowReport, Worst
from monitoring.intervals import Interval, Mean, Numbers, interval, mean_over_rows, mean_over_units, wilson
from records.pairs import (
    Pairing,
    Tried,
    confusion,
    difference_quantiles,
    latencies,
    pair_sums,
    pairings,
    worst_rows,
)

METHOD = (
    "paired differences (challenger minus production); 95 % intervals robust to rows of one caller being alike, or over rows "
    "where there are fewer than 30 callers; shares by Wilson with the effective number of rows; latency: features and "
    "compiled model of one row, both versions timed one after the other in the agent"
)


@dataclass(frozen=True, kw_only=True)
class ShadowQuestion:
    """`versions` if anybody said so: each may be empty. `worst` is how many rows are wanted."""

    definition: ModelDefinition
    since: datetime
    versions: Versions
    worst: int


@dataclass(frozen=True)
class Summed:
    """For each unit the number of pairs, the sum of a difference and of its square."""

    rows: Numbers
    sums: Numbers
    squares: Numbers

    @property
    def count(self) -> int:
        return int(self.rows.sum())

    @property
    def by_unit(self) -> bool:
        return int((self.rows > 0).sum()) >= ENOUGH

    def mean(self) -> Mean:
        if self.by_unit:
            return mean_over_units(self.rows, self.sums)
        return mean_over_rows(self.rows.sum(), self.sums.sum(), self.squares.sum())


def shadow_report(engine: Engine, question: ShadowQuestion) -> ShadowReport:
    definition = question.definition
    empty = ShadowReport(
        model=definition.name,
        units=definition.units,
        error_name=error_name(definition),
        since=question.since,
        method=METHOD,
    )
    pairing = _pairing(pairings(engine, definition.name, question.since), question.versions)
    if pairing is None or pairing.rows < ENOUGH:
        rows = 0 if pairing is None else pairing.rows
        sentence = f"not enough data: {rows} rows were tried on a challenger, at least {ENOUGH} are needed"
        return msgspec.structs.replace(empty, pairs=rows, says=[sentence])
    tried = Tried(
        model=definition.name,
        production=pairing.production,
        challenger=pairing.challenger,
        since=question.since,
    )
    found = {**_answers(engine, tried, definition), **_latencies(engine, tried)}
    worst = worst_rows(engine, tried, question.worst, definition.classes)
    return msgspec.structs.replace(
        empty,
        production=tried.production,
        challenger=tried.challenger,
        enough=True,
        worst=[Worst(**vars(row)) for row in worst],
        **found,
    )


def _pairing(found: Sequence[Pairing], wanted: Versions) -> Pairing | None:
    """The first that fits what was asked for."""
    fitting = (
        each
        for each in found
        if wanted.production in ("", each.production) and wanted.challenger in ("", each.challenger)
    )
    return next(fitting, None)


def _answers(engine: Engine, tried: Tried, definition: ModelDefinition) -> dict[str, Any]:
    answers, errors = _sums(engine, tried)
    said = (
        _labels(engine, tried, answers)
        if definition.classes
        else _numbers(engine, tried, answers, definition)
    )
    error = _error(errors, definition)
    about_error = (
        error.says
        if error is not None
        else f"not enough truth for the {error_name(definition)}: known of {errors.count} rows, at least {ENOUGH} are needed"
    )
    first: Difference = said.get("difference") or said["disagreement"]
    return {
        **said,
        "pairs": answers.count,
        "labelled": errors.count,
        "error_difference": error,
        "says": [about_error, first.says],
    }


def _sums(engine: Engine, tried: Tried) -> tuple[Summed, Summed]:
    parts = [np.array(part, dtype=np.float64) for part in pair_sums(engine, tried)]
    columns = np.concatenate(parts).T
    return Summed(*columns[:3]), Summed(*columns[3:])


def _numbers(engine: Engine, tried: Tried, answers: Summed, definition: ModelDefinition) -> dict[str, Any]:
    found = interval(answers.mean())
    quantiles = difference_quantiles(engine, tried, DIFFERENCE_SHARES) or []
    return {
        "difference": figures.worded(found, wording.of_prediction(found, f" {definition.units}")),
        "differences": {
            f"p{100 * share:g}": value for share, value in zip(DIFFERENCE_SHARES, quantiles, strict=True)
        },
    }


def _labels(engine: Engine, tried: Tried, answers: Summed) -> dict[str, Any]:
    mean = answers.mean()
    share, count = mean.value, float(answers.count)
    if mean.variance > 0:  # what the rows are worth: never more than there are
        count = min(count, share * (1 - share) / mean.variance)
    found = wilson(share, count)
    table: dict[str, dict[str, int]] = {}
    for (given, shadow), rows in sorted(confusion(engine, tried).items()):
        table.setdefault(given, {})[shadow] = rows
    return {"disagreement": figures.worded(found, _disagree(found)), "confusion": table}


def _disagree(found: Interval) -> str:
    return (
        f"the two disagree on {100 * found.estimate:.2f} % of rows (between {100 * found.low:.2f} % and "
        f"{100 * found.high:.2f} %)"
    )


def _error(errors: Summed, definition: ModelDefinition) -> Difference | None:
    if errors.count < ENOUGH:
        return None
    found = interval(errors.mean())
    unit = "" if definition.classes else f" {definition.units}"
    return figures.worded(found, wording.of_error(found, error_name(definition), unit))


def _latencies(engine: Engine, tried: Tried) -> dict[str, Any]:
    production, challenger = latencies(engine, tried, LATENCY_SHARES)
    return {
        "production_latency_ms": figures.latency(production),
        "challenger_latency_ms": figures.latency(challenger),
    }
