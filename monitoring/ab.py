"""The A/B report: two versions that answered different callers at the same time, and first of all whether the split was right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from sqlalchemy import Engine

from modelkit.definition import ModelDefinition
from monitoring import figures, wording
from monitoring.chosen_arms import Versions, chosen_arms, how, no_split, together
from monitoring.figures import LATENCY_SHARES, AbReport, Arm, Split
from monitoring.intervals import (
    FEWEST_EFFECTIVE,
    FEWEST_UNITS,
    Interval,
    Mean,
    Numbers,
    difference,
    mean_over_units,
    split_p_value,
)
from monitoring.shares import share_difference, share_over_units
from records.arms import Answered, Compared, Period, Seen, answered, unit_sums, versions_seen
from records.split_arms import CHALLENGER, PRODUCTION

BROKEN = 0.001  # a right split looks as bad as this in one report of a thousand
MANY_IN_BOTH = 0.01
METHOD = (
    "production and challenger are what the split chose, row by row; 95 % intervals are robust to rows of one caller being alike "
    "(jackknife over callers, Student's t with the effective number of callers; error rates by Newcombe with the rows they are "
    "worth); split: chi-square over callers; latency: rows that were not cached"
)


class Sums(NamedTuple):
    """Of one arm, a number for each unit: rows, rows with a number, their sum, rows with truth, errors."""

    rows: Numbers
    numbered: Numbers
    predicted: Numbers
    labelled: Numbers
    errors: Numbers

    def of(self, units: Numbers) -> Sums:
        return Sums(*(each * units for each in self))

    @property
    def asked(self) -> Mean:
        return mean_over_units(self.rows, self.rows)


@dataclass(frozen=True, kw_only=True)
class AbQuestion:
    """`wanted` are the versions if anybody said so, `weight` the challenger's share of callers."""

    definition: ModelDefinition
    period: Period
    wanted: Versions
    weight: float | None


def ab_report(engine: Engine, question: AbQuestion) -> AbReport:
    seen = versions_seen(engine, question.period)
    arms = chosen_arms(seen, question.wanted)
    if arms is None:
        return _too_little(question, no_split(seen))
    compared = together(question.period, *arms)
    question = replace(question, period=compared.period)
    both = _sums(engine, compared)
    split = _split(both, question.weight)
    once = (both[0].rows > 0) != (both[1].rows > 0)
    compared = replace(compared, any_in_both=split.units_in_both > 0)
    alone = both[0].of(once), both[1].of(once)
    means = [each.asked for each in alone]
    if not all(mean.is_enough for mean in means):
        return _too_little(question, _too_few(arms, means), split)
    figures_of = [
        _arm(answered(engine, compared, seen_arm, LATENCY_SHARES), seen_arm.version, sums)
        for seen_arm, sums in zip(arms, alone, strict=True)
    ]
    left_out = {f"{each.version} ({how(each)})": each.rows for each in seen if each not in arms}
    return _compared(question, figures_of, alone, split, left_out)


def _too_few(arms: tuple[Seen, Seen], means: Sequence[Mean]) -> str:
    there = " and ".join(
        f"{mean.units} callers (worth {mean.effective_units:.1f} who ask alike) of version {arm.version}"
        for arm, mean in zip(arms, means, strict=True)
    )
    return f"not enough data: {there}; at least {FEWEST_UNITS} of each, worth {FEWEST_EFFECTIVE:g}, are needed for an interval"


def _sums(engine: Engine, compared: Compared) -> tuple[Sums, Sums]:
    parts = [np.array(part, dtype=np.float64) for part in unit_sums(engine, compared)]
    table = np.concatenate(parts) if parts else np.zeros((0, 10))
    return Sums(*table[:, :5].T), Sums(*table[:, 5:].T)


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
        f"; {shared} more were answered by both, and are left out below: the weight was changed "
        "(--since looks at a shorter time)"
    )


def _arm(found: Answered, version: str, sums: Sums) -> Arm:
    numbered, labelled = float(sums.numbered.sum()), float(sums.labelled.sum())
    asked = sums.asked
    return Arm(
        version=version,
        rows=found.rows,
        units=asked.units,
        effective_units=asked.effective_units,
        cached_share=found.cached / found.rows,
        mean_prediction=float(sums.predicted.sum()) / numbered if numbered else None,
        labels=found.labels,
        labelled=int(labelled),
        error=float(sums.errors.sum()) / labelled if labelled else None,
        latency_ms=figures.latency(found.latency_ms),
    )


def _compared(
    question: AbQuestion,
    arms: Sequence[Arm],
    both: tuple[Sums, Sums],
    split: Split,
    left_out: dict[str, int],
) -> AbReport:
    definition, (production, challenger) = question.definition, both
    predicted = None if definition.classes else _prediction_difference(production, challenger, definition)
    errors, about_errors = _error_difference(production, challenger, definition)
    uneven = [
        wording.uneven(sums.asked, f" of {name}")
        for name, sums in ((PRODUCTION, production), (CHALLENGER, challenger))
        if sums.asked.is_uneven
    ]
    answers = [] if predicted is None else [predicted.says]
    return AbReport(
        model=definition.name,
        units=definition.units,
        error_name=error_name(definition),
        since=question.period.since,
        until=question.period.until,
        enough=True,
        says=[split.says, about_errors, *answers, *uneven],
        split=split,
        production=arms[0],
        challenger=arms[1],
        prediction_difference=predicted,
        error_difference=errors,
        left_out=left_out,
        method=METHOD,
    )


def _prediction_difference(
    production: Sums, challenger: Sums, definition: ModelDefinition
) -> figures.Difference | None:
    theirs, ours = (mean_over_units(each.numbered, each.predicted) for each in (challenger, production))
    if not (theirs.is_enough and ours.is_enough):
        return None
    found = difference(theirs, ours)
    return figures.worded(found, wording.of_prediction(found, _unit_of(definition)))


def _error_difference(
    production: Sums, challenger: Sums, definition: ModelDefinition
) -> tuple[figures.Difference | None, str]:
    """None where truth is known of too few; the sentence says it then."""
    name = error_name(definition)
    known = [mean_over_units(each.labelled, each.errors) for each in (production, challenger)]
    if not all(mean.is_enough for mean in known):
        return None, f"not enough truth (POST /feedback): {wording.too_few(name, *known)}"
    found = _error_interval(production, challenger, bool(definition.classes))
    worded = figures.worded(found, wording.of_error(found, name, _unit_of(definition)))
    return worded, worded.says


def _error_interval(production: Sums, challenger: Sums, labels: bool) -> Interval:
    both = (challenger, production)
    if labels:
        return share_difference(*(share_over_units(each.labelled, each.errors) for each in both))
    return difference(*(mean_over_units(each.labelled, each.errors) for each in both))


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
