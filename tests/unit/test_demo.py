"""The demonstration makes a user, and so is for development only."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "environment", [{}, {"SLIPWAY_ENV": "production"}, {"SLIPWAY_ENV": "staging"}], ids=str
)
def test_outside_of_development_the_demo_makes_nobody(tmp_path: Path, environment: dict[str, str]) -> None:
    database = tmp_path / "records.db"
    done = subprocess.run(
        [sys.executable, "-m", "clients.demo"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "DATABASE_URL": f"sqlite:///{database}", **environment},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "SLIPWAY_ENV=dev only" in done.stderr
    assert not database.exists()
