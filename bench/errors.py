"""What ends a benchmark early, with a sentence that says what to do."""

from __future__ import annotations

import sys
from collections.abc import Callable


class BenchError(Exception):
    """Shown to the person at the terminal, without a traceback."""


def shown(program: str, run: Callable[[], int]) -> int:
    """The program's exit code: 2 where a BenchError ended it."""
    try:
        return run()
    except BenchError as error:
        print(f"{program}: {error}", file=sys.stderr)
        return 2
