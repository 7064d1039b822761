"""What ends a benchmark early, with a sentence that says what to do."""

from __future__ import annotations


class BenchError(Exception):
    """Shown to the person at the terminal, without a traceback."""
