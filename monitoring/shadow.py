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
from monitoring.ab import error_name
from monitoring.chosen_arms import Versions
from monitoring.figures import DIFFERENCE_SHARES, ENOUGH, LATENCY_SHARES, Difference, ShadowReport, Worst
from monitoring.intervals import Interval, Mean, Numbers, interval, mean_over_units
from monitoring.shares import paired_difference, share_interval, share_over_units
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
    "paired differences (challenger minus production) of rows that production answered unasked; 95 % intervals are robust to "
    "rows of one caller being alike (jackknife over callers, Student's t with the effective number of callers; shares by "
    "Wilson, error rates by Bonett and Price, with the rows they are worth); latency: features and compiled model of one "
    "row, both versions timed one after the other in the agent"
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
    """For each unit the number of pairs, the sum of a difference and of its distance from nothing."""

    rows: Numbers
    sums: Numbers
    distances: Numbers

    @property
    def count(self) -> int:
        return int(self.rows.sum())

    @property
    def mean(self) -> Mean:
        return mean_over_units(self.rows, self.sums)


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
    mean = answers.mean
    return {
        **said,
        "pairs": answers.count,
        "callers": mean.units,
        "effective_callers": mean.effective_units,
        "labelled": errors.count,
        "error_difference": error,
        "says": [about_error, first.says, *([wording.uneven(mean)] if mean.is_uneven else [])],
    }


def _sums(engine: Engine, tried: Tried) -> tuple[Summed, Summed]:
    parts = [np.array(part, dtype=np.float64) for part in pair_sums(engine, tried)]
    columns = np.concatenate(parts).T
    return Summed(*columns[:3]), Summed(*columns[3:])


def _numbers(engine: Engine, tried: Tried, answers: Summed, definition: ModelDefinition) -> dict[str, Any]:
    quantiles = difference_quantiles(engine, tried, DIFFERENCE_SHARES) or []
    return {
        "difference": _shift(answers.mean, definition),
        "differences": {
            f"p{100 * share:g}": value for share, value in zip(DIFFERENCE_SHARES, quantiles, strict=False)
        },
    }


def _shift(mean: Mean, definition: ModelDefinition) -> Difference:
    if not mean.is_enough:
        return figures.without_interval(mean.value, wording.too_few("average answer", mean))
    found = interval(mean)
    return figures.worded(found, wording.of_prediction(found, f" {definition.units}"))


def _labels(engine: Engine, tried: Tried, answers: Summed) -> dict[str, Any]:
    table: dict[str, dict[str, int]] = {}
    for (given, shadow), rows in sorted(confusion(engine, tried).items()):
        table.setdefault(given, {})[shadow] = rows
    return {"disagreement": _disagreement(answers), "confusion": table}


def _disagreement(answers: Summed) -> Difference:
    share = share_over_units(answers.rows, answers.sums)
    said = f"the two disagree on {100 * share.mean.value:.2f} % of rows"
    if not share.mean.is_enough:
        few = wording.too_few("disagreement", share.mean)
        return figures.without_interval(share.mean.value, f"{said}; {few}")
    found = share_interval(share)
    between = f"(between {100 * found.low:.2f} % and {100 * found.high:.2f} %)"
    return figures.worded(found, f"{said} {between}")


def _error(errors: Summed, definition: ModelDefinition) -> Difference | None:
    if errors.count < ENOUGH:
        return None
    mean, name = errors.mean, error_name(definition)
    if not mean.is_enough:
        return figures.without_interval(mean.value, wording.too_few(name, mean))
    found = _error_interval(errors, bool(definition.classes))
    unit = "" if definition.classes else f" {definition.units}"
    return figures.worded(found, wording.of_error(found, name, unit))


def _error_interval(errors: Summed, labels: bool) -> Interval:
    if labels:
        return paired_difference(errors.rows, errors.sums, errors.distances)
    return interval(errors.mean)


def _latencies(engine: Engine, tried: Tried) -> dict[str, Any]:
    production, challenger = latencies(engine, tried, LATENCY_SHARES)
    return {
        "production_latency_ms": figures.latency(production),
        "challenger_latency_ms": figures.latency(challenger),
    }
