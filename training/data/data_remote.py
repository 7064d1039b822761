"""Where DVC pushes data sets and models, set on this machine only: addresses and secrets stay out of Git."""

from __future__ import annotations

import subprocess

from training.errors import TrainingError
from training.settings import TrainingSettings

NAME = "slipway"


def set_remote(settings: TrainingSettings) -> str:
    """Writes `.dvc/config.local`, which Git ignores. `dvc push` and `dvc pull` then need no argument."""
    if settings.dvc_remote_url is None:
        raise TrainingError("DVC_REMOTE_URL is not set")
    command = [
        "dvc",
        "remote",
        "add",
        "--quiet",
        "--local",
        "--force",
        "--default",
        NAME,
        settings.dvc_remote_url,
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise TrainingError(f"dvc refused the remote: {done.stderr.strip()}")
    return f"dvc push and dvc pull use {NAME}, set in .dvc/config.local"
