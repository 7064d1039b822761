"""Which commit the code is at, and what a file said at another."""

from __future__ import annotations

import subprocess
from pathlib import Path

from training.errors import Misused

UNKNOWN = "unknown"


def git_sha(folder: Path = Path()) -> str:
    """The commit that is checked out; `unknown` outside a work tree (an image, an unpacked archive)."""
    try:
        found = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=folder, capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return UNKNOWN
    return found.stdout.strip()


def text_at(commit: str, path: Path) -> str:
    """What the file said at that commit; empty where it was not there yet. Raises Misused where there is no such commit."""
    if _git("cat-file", "-e", f"{commit}^{{commit}}") is None:
        raise Misused(f"{commit} is no commit of this clone")
    return _git("show", f"{commit}:./{path}") or ""


def _git(*arguments: str) -> str | None:
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, timeout=10, check=False)
    return None if done.returncode else done.stdout
