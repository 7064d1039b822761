"""Which versions raced: of the packages that decide, in each server's environment."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from bench.contestants import CONTESTANTS, SLIPWAY
from bench.environments import ensure_environment
from bench.settings import Settings

PACKAGES = (
    *(
        "bentoml",
        "fastapi",
        "kserve",
        "mlflow",
        "mlserver",
        "uvicorn",
        "uvloop",
        "httptools",
        "pydantic",
        "msgspec",
    ),
    *("numpy", "pandas", "scikit-learn", "catboost", "onnxruntime", "pyjwt", "redis", "sqlalchemy"),
)
LISTING = """
import sys
from importlib import metadata
known = {item.metadata["Name"].lower(): item.version for item in metadata.distributions()}
for name in sys.argv[1:]:
    if name in known:
        print(name, known[name])
"""


def installed_versions(settings: Settings, servers: Sequence[str]) -> dict[str, dict[str, str]]:
    """Packages and versions by server."""
    found = {}
    for name in servers:
        own = settings.bin if name == SLIPWAY else ensure_environment(settings, CONTESTANTS[name].peer)
        found[name] = _listing(own / "python")
    return found


def _listing(python: Path) -> dict[str, str]:
    done = subprocess.run([str(python), "-c", LISTING, *PACKAGES], capture_output=True, text=True, check=True)
    words = done.stdout.split()
    return dict(zip(words[::2], words[1::2], strict=True))
