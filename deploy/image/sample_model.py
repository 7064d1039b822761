"""A model to try an image with: olist-delivery on synthetic data with few trees, through the real stages, gates and registry."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import yaml

from deploy.image.programs import run

MODEL = "olist-delivery"
STAGES = ("data", "prepare", "featurize", "train", "evaluate", "compile", "report", "register", "promote")
# The commands of `python -m training`, in one process: most of the time would go into imports.
ONE_AFTER_ANOTHER = """
import sys
from training.cli import main
model, *commands = sys.argv[1:]
sys.exit(next((code for code in (main([command, model]) for command in commands) if code), 0))
"""


def train_sample(project: Path, folder: Path) -> dict[str, str]:
    """Works in `folder` alone. Returns the settings by which its registry is found."""
    params = _with_few_trees(yaml.safe_load((project / "params.yaml").read_text()))
    (folder / "params.yaml").write_text(yaml.safe_dump(params))
    registry = {
        "MLFLOW_TRACKING_URI": f"sqlite:///{folder / 'mlflow.db'}",
        "FEATURES_URL": str(folder / "online"),
    }
    variables = {
        **registry,
        "DATABASE_URL": f"sqlite:///{folder / 'ledger.db'}",
        "PYTHONPATH": str(project),
        "SLIPWAY_RAW_DIR": "",
        "SLIPWAY_ENV": "dev",
        "GIT_DIR": str(project / ".git"),
    }
    run([sys.executable, "-m", "records", "upgrade"], cwd=folder, extra=variables)
    run([sys.executable, "-c", ONE_AFTER_ANOTHER, MODEL, *STAGES], cwd=folder, extra=variables)
    return registry


def _with_few_trees(params: dict[str, Any]) -> dict[str, Any]:
    """The knobs that the project's own quick tests use."""
    knobs = params["models"][MODEL]
    quick = {**knobs, "train": {**knobs["train"], **knobs["smoke"]}}
    return {**params, "models": {**params["models"], MODEL: quick}}
