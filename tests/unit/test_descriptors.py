"""Files that a process may have open bound its connections: asked in a process of its own, whose limits nobody else has."""

from __future__ import annotations

import subprocess
import sys

import pytest

ASK = """
import resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[1]), int(sys.argv[2])))
from serving.connections.descriptors import connections_within_reach
print(connections_within_reach(4096), *resource.getrlimit(resource.RLIMIT_NOFILE))
"""


def asked(soft: int, hard: int) -> tuple[str, str]:
    """What is said last, and what was told before."""
    done = subprocess.run(
        [sys.executable, "-c", ASK, str(soft), str(hard)], capture_output=True, text=True, check=True
    )
    *told, said = done.stdout.splitlines()
    return said, "\n".join(told)


@pytest.mark.parametrize(
    ("soft", "hard", "said"),
    [(256, 5000, "4096 5000 5000"), (256, 1024, "768 1024 1024"), (300, 300, "75 300 300")],
)
def test_connections_leave_files_for_everything_else(soft: int, hard: int, said: str) -> None:
    answer, told = asked(soft, hard)
    assert answer == said
    assert ("MAX_CONNECTIONS" in told) == (hard < 4096)
