"""What an interval allows one to say, in a sentence: not more, and never that nothing is there."""

from __future__ import annotations

from monitoring.intervals import FEWEST_EFFECTIVE, FEWEST_UNITS, Interval, Mean


def of_error(found: Interval, name: str, unit: str) -> str:
    """`name` is the error, of which less is better."""
    if found.high < 0:
        return f"the challenger's {name} is lower, by {number(-found.high)} to {number(-found.low)}{unit}"
    if found.low > 0:
        return f"the challenger's {name} is higher, by {number(found.low)} to {number(found.high)}{unit}"
    return (
        f"no difference of the {name} is shown: the challenger may be up to {number(-found.low)}{unit} better "
        f"or up to {number(found.high)}{unit} worse"
    )


def of_prediction(found: Interval, unit: str) -> str:
    """Which is neither good nor bad."""
    if found.excludes_zero:
        word = "higher" if found.low > 0 else "lower"
        near, far = sorted((abs(found.low), abs(found.high)))
        return f"the challenger's answers are {word} on average, by {number(near)} to {number(far)}{unit}"
    return f"no shift of the average answer is shown: it lies between {number(found.low)} and {number(found.high)}{unit}"


def too_few(name: str, *means: Mean) -> str:
    """Instead of an interval."""
    return (
        f"no interval for the {name}, and no winner: {' and '.join(map(_callers, means))}, at least {FEWEST_UNITS} "
        f"worth {FEWEST_EFFECTIVE:g} are needed{'' if len(means) == 1 else ' of each version'}"
    )


def uneven(mean: Mean, whose: str = "") -> str:
    return f"a few callers have most of the rows{whose}: {_callers(mean)}, and intervals are as wide"


def _callers(mean: Mean) -> str:
    if mean.units == 1:
        return "all rows are of one caller"
    return f"{mean.units} callers are worth {mean.effective_units:.1f} who ask alike"


def number(value: float) -> str:
    """As many digits as a person reads; nothing is -0."""
    return f"{value + 0.0:.4g}"
