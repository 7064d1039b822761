"""A served process with tiny models out of a folder: no registry, no training."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from modelkit.definition import load_catalog
from tests.e2e.running_service import RunningService
from tests.tiny_servables import write_tiny


def tiny_service(folder: Path, models: Sequence[str], **settings: str) -> RunningService:
    """To be entered as a context."""
    catalog = load_catalog()
    for name in models:
        write_tiny(catalog[name], folder / "models" / name)
    return RunningService(
        folder,
        tracking_uri="http://127.0.0.1:9",
        database_url=f"sqlite:///{folder / 'slipway.db'}",
        MODELS=",".join(models),
        MODEL_SOURCE="path",
        MODEL_PATH=str(folder / "models"),
        **settings,
    )
