"""The A/B report: two versions that answered different callers at the same time, and first of all whether the split was right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from sqlalchemy import Engine

from modelkit.definition import ModelDefinition
from monitoring import figures, wording
from monitoring.figures import ENOUGH, LATENCY_SHARES, AbReport, Arm, Split
from monitoring.intervals import Mean, Numbers, difference, mean_over_units, split_p_value
from records.arms import Answered, Period, Seen, answered, unit_sums, versions_seen

BROKEN = 0.001  # a right split looks as bad as this in one report of a thousand
MANY_IN_BOTH = 0.01
METHOD = (
    "95 % intervals of means over rows, robust to rows of one caller being alike (delta method for ratios of sums over callers; "
    "Student's t with the effective number of callers); split: chi-square over callers; latency: rows that were not cached"
)


class Versions(NamedTuple):
    production: str
    challenger: str


class Sums(NamedTuple):
    """Of one version, a number for each unit: rows, predicted numbers, rows with truth, errors."""

    rows: Numbers
    predicted: Numbers
    labelled: Numbers
    errors: Numbers


@dataclass(frozen=True, kw_only=True)
class AbQuestion:
    """`expected` are the two versions if anybody said so, `weight` the challenger's share of callers."""

    definition: ModelDefinition
    period: Period
    expected: Versions | None
    weight: float | None


def ab_report(engine: Engine, question: AbQuestion) -> AbReport:
    seen = versions_seen(engine, question.period)
    versions = _versions(seen, question.expected)
    if versions is None:
        return _too_little(question, _one_version(seen))
    period = _together(question.period, seen, versions)
    both = _sums(engine, period, versions)
    units = [int((each.rows > 0).sum()) for each in both]
    split = _split(both, question.weight)
    if min(units) < ENOUGH:
        too_few = (
            f"not enough data: {units[0]} callers of version {versions.production} and {units[1]} of version "
            f"{versions.challenger}, at least {ENOUGH} of each are needed for an interval"
        )
        return _too_little(question, too_few, split)
    arms = [
        _arm(answered(engine, period, version, LATENCY_SHARES), version, sums)
        for version, sums in zip(versions, both, strict=True)
    ]
    others = {each.version: each.rows for each in seen if each.version not in versions}
    return _compared(replace(question, period=period), arms, both, split, others)


def _versions(seen: Sequence[Seen], expected: Versions | None) -> Versions | None:
    """Those that are expected, where both answered; otherwise the two with the most rows, and the larger is production."""
    there = [each.version for each in seen]
    if expected is not None:
        return expected if set(expected) <= set(there) else None
    return Versions(*there[:2]) if len(there) > 1 else None


def _one_version(seen: Sequence[Seen]) -> str:
    answering = ", ".join(f"version {each.version} with {each.rows} rows" for each in seen)
    return f"not enough data: two versions have to answer, and here answered: {answering or 'none'}"


def _together(period: Period, seen: Sequence[Seen], versions: Versions) -> Period:
    """From when the second of them came to when the first of them went: other times compare with other times."""
    mine = [each for each in seen if each.version in versions]
    return replace(period, since=max(each.first for each in mine), until=min(each.last for each in mine))


def _sums(engine: Engine, period: Period, versions: Versions) -> tuple[Sums, Sums]:
    parts = [np.array(part, dtype=np.float64) for part in unit_sums(engine, period, versions)]
    table = np.concatenate(parts) if parts else np.zeros((0, 8))
    return Sums(*table[:, :4].T), Sums(*table[:, 4:].T)


def _split(both: tuple[Sums, Sums], weight: float | None) -> Split:
    mine, theirs = (each.rows > 0 for each in both)
    shared = int((mine & theirs).sum())
    production, challenger = int(mine.sum()) - shared, int(theirs.sum()) - shared
    total = production + challenger
    told = weight is not None and 0 < weight < 1 and total > 0
    p_value = split_p_value(challenger, total, weight) if told and weight is not None else None
    broken = p_value is not None and p_value < BROKEN
    return Split(
        production_units=production,
        challenger_units=challenger,
        units_in_both=shared,
        expected_share=weight,
        p_value=p_value,
        is_broken=broken,
        says=_split_says(challenger, total, weight if told else None, broken) + _both_say(shared, total),
    )


def _split_says(challenger: int, total: int, weight: float | None, broken: bool) -> str:
    share = f"{100 * challenger / total:.2f} % of {total} callers" if total else "none of 0 callers"
    if weight is None:
        return f"the challenger had {share}; whether that is right was not tested: say --weight"
    if broken:
        return (
            f"THE SPLIT IS BROKEN: the challenger had {share} where {100 * weight:g} % were meant; "
            "find out why before believing anything below"
        )
    return f"the split is as meant: the challenger had {share}, and {100 * weight:g} % were meant"


def _both_say(shared: int, total: int) -> str:
    if shared <= MANY_IN_BOTH * (total + shared):
        return ""
    return (
        f"; {shared} more were answered by both: the weight was changed, or the challenger was away for a while "
        "(--since looks at a shorter time)"
    )


def _arm(found: Answered, version: str, sums: Sums) -> Arm:
    rows, labelled = float(sums.rows.sum()), float(sums.labelled.sum())
    return Arm(
        version=version,
        rows=found.rows,
        units=int((sums.rows > 0).sum()),
        cached_share=found.cached / found.rows,
        mean_prediction=None if found.labels else float(sums.predicted.sum()) / rows,
        labels=found.labels,
        labelled=int(labelled),
        error=float(sums.errors.sum()) / labelled if labelled else None,
        latency_ms=figures.latency(found.latency_ms),
    )


def _compared(
    question: AbQuestion, arms: Sequence[Arm], both: tuple[Sums, Sums], split: Split, others: dict[str, int]
) -> AbReport:
    definition, (production, challenger) = question.definition, both
    unit, name = _unit_of(definition), error_name(definition)
    predicted = errors = None
    if not definition.classes:
        found = difference(
            mean_over_units(challenger.rows, challenger.predicted),
            mean_over_units(production.rows, production.predicted),
        )
        predicted = figures.worded(found, wording.of_prediction(found, unit))
    known = [int((each.labelled > 0).sum()) for each in both]
    says = [split.says]
    if min(known) >= ENOUGH:
        found = difference(_error(challenger), _error(production))
        errors = figures.worded(found, wording.of_error(found, name, unit))
        says.append(errors.says)
    else:
        says.append(
            f"not enough truth for the {name}: known of {known[0]} and {known[1]} callers, at least {ENOUGH} of each "
            "are needed (POST /feedback)"
        )
    return AbReport(
        model=definition.name,
        units=definition.units,
        error_name=name,
        since=question.period.since,
        until=question.period.until,
        enough=True,
        says=says if predicted is None else [*says, predicted.says],
        split=split,
        production=arms[0],
        challenger=arms[1],
        prediction_difference=predicted,
        error_difference=errors,
        other_versions=others,
        method=METHOD,
    )


def _error(sums: Sums) -> Mean:
    return mean_over_units(sums.labelled, sums.errors)


def _too_little(question: AbQuestion, sentence: str, split: Split | None = None) -> AbReport:
    return AbReport(
        model=question.definition.name,
        units=question.definition.units,
        error_name=error_name(question.definition),
        since=question.period.since,
        until=question.period.until,
        enough=False,
        says=[sentence] if split is None else [split.says, sentence],
        split=split,
    )


def error_name(definition: ModelDefinition) -> str:
    return "error rate" if definition.classes else "mean absolute error"


def _unit_of(definition: ModelDefinition) -> str:
    return "" if definition.classes else f" {definition.units}"
