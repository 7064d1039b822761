"""Verifying a token costs no SQLAlchemy: it is imported by the first login."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

CODE = """
import importlib, pathlib, sys
for path in sorted(pathlib.Path("auth").glob("*.py")):
    if path.stem != "__main__":
        importlib.import_module("auth" if path.stem == "__init__" else f"auth.{path.stem}")
from auth.database import Database
from auth.directory import SqlUserDirectory
SqlUserDirectory(Database("sqlite:///never-opened.db"))
print(sorted(name for name in ("sqlalchemy", "alembic", "records.tables", "bentoml", "zxcvbn") if name in sys.modules))
"""


def test_importing_auth_imports_no_sqlalchemy() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
