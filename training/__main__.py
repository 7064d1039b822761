"""`python -m training <command>`: data, the five stages, and what happens in the registry afterwards."""

from __future__ import annotations

import os
import select
import sys

from training.cli import main


def run() -> int:
    """Whoever reads may have had enough (`… | head`): no failure of the command, which has nothing left to say."""
    code = 1
    try:
        code = main(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:
        if _is_heard():  # then it was another pipe
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code


def _is_heard() -> bool:
    """Whether anybody still reads what is printed: asked of the pipe, because a failed write leaves nothing to try again."""
    pipe = select.poll()
    pipe.register(sys.stdout.fileno(), select.POLLOUT)
    return not any(event & select.POLLERR for _, event in pipe.poll(0))


if __name__ == "__main__":
    sys.exit(run())
