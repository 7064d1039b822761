"""The model of a trial: the one that the image carries, or one that is trained for it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from deploy.image.bento import bake
from deploy.image.building import Builder
from deploy.image.expectation import carried_model
from deploy.image.sample_model import MODEL, train_sample


@dataclass(frozen=True, kw_only=True)
class Served:
    """In the image, or beside it in a folder of models that is mounted."""

    servable: Path
    beside: Path | None = None


def served_model(builder: Builder, image: str | None, folder: Path) -> tuple[Served, str]:
    """With the image that serves it: the given one, or one that is built around the model."""
    carried = carried_model(image, builder.engine, folder) if image else None
    if image and carried:
        return Served(servable=carried), image
    builder.say(f"training {MODEL} on synthetic data")
    (folder / "registry").mkdir()
    registry = train_sample(builder.project, folder / "registry")
    builder.say("trained, registered, promoted")
    if image:
        return _beside(builder, registry, folder / "baked"), image
    image = builder.for_trial().serving(registry)
    carried = carried_model(image, builder.engine, folder)
    assert carried is not None
    return Served(servable=carried), image


def _beside(builder: Builder, registry: dict[str, str], folder: Path) -> Served:
    builder.say(bake(builder.project, folder, registry))
    for path in (folder, *folder.rglob("*")):  # for whatever user the container gets
        path.chmod(0o755 if path.is_dir() else 0o644)
    return Served(servable=folder / "models" / MODEL, beside=folder / "models")
