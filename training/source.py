"""Which commit of the code a model comes from."""

from __future__ import annotations

import subprocess
from pathlib import Path

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
