"""What an interval allows one to say, in a sentence: not more, and never that nothing is there."""

from __future__ import annotations

from monitoring.intervals import Interval


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


def number(value: float) -> str:
    """As many digits as a person reads."""
    return f"{value:.4g}"
