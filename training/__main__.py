"""`python -m training <command>`: data, the five stages, and what happens in the registry afterwards."""

from __future__ import annotations

import os
import sys

from training.cli import main


def run() -> int:
    """Whoever reads may have had enough (`… | head`): no failure of the command, which has nothing left to say."""
    try:
        code = main(sys.argv[1:])
    except BrokenPipeError:
        if _is_heard():  # then it was another pipe
            raise
        return 1
    _is_heard()
    return code


def _is_heard() -> bool:
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return False
    return True


if __name__ == "__main__":
    sys.exit(run())
