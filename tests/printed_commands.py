"""Commands of a page, run as they are printed against a service that answers on an address."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.architecture.source_tree import ROOT
from tests.front_service import FrontService
from tests.served_front import served

SHELL_SECONDS = 120


def run_printed(
    commands: str, front: FrontService, folder: Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    """In `folder`, with the first failure as the end; SLIPWAY is the service's address."""
    script = folder / "printed.sh"
    script.write_text(f"set -euo pipefail\n{commands}", encoding="utf-8")
    with served(front) as running:
        return subprocess.run(
            ["bash", script],
            cwd=folder,
            env={
                "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
                "PYTHONPATH": str(ROOT),
                "SLIPWAY": running.url,
                "DATABASE_URL": front.settings.database_url.get_secret_value(),
                **environment,
            },
            capture_output=True,
            text=True,
            timeout=SHELL_SECONDS,
        )
