"""A copy of the project as a clone of the working tree would be, for tests that train, change or break it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.architecture.source_tree import ROOT, files


def copy_of_the_project(folder: Path) -> Path:
    """With this environment instead of a new one, and everything committed."""
    project = folder / "project"
    for path in files():
        target = project / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, target)
    (project / ".venv").symlink_to(ROOT / ".venv")
    git(project, "init", "--quiet")
    commit(project)
    return project


def commit(project: Path) -> None:
    identity = ["-c", "user.name=copy", "-c", "user.email=copy@localhost"]
    git(project, "add", "--all")
    git(project, *identity, "commit", "--quiet", "--no-verify", "--message", "copy")


def git(project: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=project, check=True, capture_output=True, text=True)
    return done.stdout


def run(project: Path, *command: str, **variables: str) -> str:
    """Output of a command in the copy, which finds this environment's programs and none of the caller's settings."""
    environment = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(project.parent),
        "DVC_NO_ANALYTICS": "1",
        "SLIPWAY_ENV": "dev",  # as make says: elsewhere nothing synthetic is promoted
        **variables,
    }
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
