"""What stops a report, as one sentence for the terminal."""

from __future__ import annotations


class ReportError(Exception):
    """Base: its text is printed, and the program ends with 2."""


class Misused(ReportError):
    """What was given to the command makes no sense."""


class Unreadable(ReportError):
    """The database cannot be read."""
