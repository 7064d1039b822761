"""Starting other people's programs: silent while all is well, in their own words when it is not."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from deploy.errors import ImageFailed
from deploy.image.settings import program_environment

SECONDS = 1800
LINES = 25


def run(
    command: Sequence[str],
    *,
    cwd: Path | None = None,
    extra: Mapping[str, str] | None = None,
    given: str | None = None,
    seconds: float = SECONDS,
) -> str:
    """What it printed. Raises ImageFailed with the end of what it said."""
    done = attempt(command, cwd=cwd, extra=extra, given=given, seconds=seconds)
    if done.returncode:
        said = "\n".join((done.stdout + done.stderr).strip().splitlines()[-LINES:])
        raise ImageFailed(f"`{shlex.join(command[:4])}` ended with {done.returncode}:\n{said}")
    return done.stdout


def attempt(
    command: Sequence[str],
    *,
    cwd: Path | None = None,
    extra: Mapping[str, str] | None = None,
    given: str | None = None,
    seconds: float = SECONDS,
) -> subprocess.CompletedProcess[str]:
    """The same, where failing is an answer."""
    try:
        return subprocess.run(
            command,
            cwd=cwd,
            env=program_environment(extra or {}),
            input=given,
            capture_output=True,
            text=True,
            timeout=seconds,
        )
    except FileNotFoundError:
        raise ImageFailed(f"{command[0]} is not installed") from None
    except subprocess.TimeoutExpired:
        raise ImageFailed(f"`{shlex.join(command[:4])}` did not end within {seconds:.0f} seconds") from None
