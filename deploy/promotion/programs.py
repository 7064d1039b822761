"""Other people's programs, run for one answer: their failure is said in their words."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from deploy.errors import ProgramFailed

SECONDS = 300


def answer_of(command: Sequence[str], *, folder: Path, given: str | None = None) -> str:
    """What it prints. Raises ProgramFailed with its last lines where it does not end well."""
    try:
        done = subprocess.run(
            command, cwd=folder, input=given, capture_output=True, text=True, timeout=SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ProgramFailed(f"{command[0]}: {error}") from error
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()[-3:]
        raise ProgramFailed(f"`{' '.join(command[:3])}` failed: {' '.join(said)}")
    return done.stdout
