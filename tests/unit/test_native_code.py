"""What native libraries of a worker find in their environment."""

from __future__ import annotations

import os
import subprocess
import sys

SHOW = (
    "import os; from serving.lifecycle.settings import restrain_native_code as r; r(); print({**os.environ})"
)


def environment(**given: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", SHOW], env={**os.environ, **given}, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_native_pools_have_one_thread_and_large_blocks_are_given_back() -> None:
    found = environment()
    assert "'OMP_NUM_THREADS': '1'" in found
    assert "'MALLOC_MMAP_THRESHOLD_': '262144'" in found


def test_what_somebody_has_said_stays() -> None:
    assert "'OMP_NUM_THREADS': '4'" in environment(OMP_NUM_THREADS="4")
