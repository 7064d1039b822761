"""Which two arms a report compares: what the rows say they are, and never what would fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from records.arms import Compared, Period, Seen
from records.split_arms import CHALLENGER, MISSING, NAMED, PRODUCTION

HOW = {
    "": "without a split",
    NAMED: "asked for by name",
    PRODUCTION: "as production",
    CHALLENGER: "as challenger",
    MISSING: "for a challenger that was not loaded",
}


class Versions(NamedTuple):
    """Empty where anyone will do."""

    production: str = ""
    challenger: str = ""


def chosen_arms(seen: Sequence[Seen], wanted: Versions) -> tuple[Seen, Seen] | None:
    """The last challenger, and the last production beside it; nobody else says who was which."""
    challenger = _last(seen, CHALLENGER, wanted.challenger)
    if challenger is None:
        return None
    others = [each for each in seen if each.version != challenger.version]
    beside = [each for each in others if each.first <= challenger.last and each.last >= challenger.first]
    production = _last(beside, PRODUCTION, wanted.production)
    return None if production is None else (production, challenger)


def _last(seen: Sequence[Seen], arm: str, version: str) -> Seen | None:
    fitting = [each for each in seen if each.arm == arm and version in ("", each.version)]
    return max(fitting, key=lambda each: each.last, default=None)


def how(seen: Seen) -> str:
    return HOW.get(seen.arm, seen.arm)


def no_split(seen: Sequence[Seen]) -> str:
    answering = ", ".join(f"version {each.version} with {each.rows} rows {how(each)}" for each in seen)
    return (
        "not enough data: a split has to send callers to production and to a challenger, and here answered: "
        f"{answering or 'none'}"
    )


def together(period: Period, production: Seen, challenger: Seen) -> Compared:
    """From when the second of them came to when the first of them went: other times compare with other times."""
    since, until = max(production.first, challenger.first), min(production.last, challenger.last)
    return Compared(
        period=replace(period, since=since, until=until), production=production, challenger=challenger
    )
