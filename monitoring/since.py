"""`--since 24h`: how far a report looks back."""

from __future__ import annotations

import argparse
import re
from datetime import timedelta

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_SPAN = re.compile(r"([1-9][0-9]{0,4})([mhdw])")


def span(text: str) -> timedelta:
    """For argparse: minutes, hours, days or weeks."""
    found = _SPAN.fullmatch(text)
    if found is None:
        raise argparse.ArgumentTypeError("a time is written as 30m, 24h, 7d or 2w")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})
