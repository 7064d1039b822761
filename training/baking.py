"""Baking: what an image carries to serve from while no registry answers. The agent replaces it as soon as one does."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from modelkit.definition import ModelDefinition
from modelkit.errors import ServableError
from training.errors import NothingToBake, TrainingError
from training.promotion.champion import fetch_servable
from training.registry import SERVABLE, Registry
from training.version import PRODUCTION

MODELS, FEATURES, LISTING = "models", "features", "versions.env"


@dataclass(frozen=True, kw_only=True)
class Baked:
    """Versions by model, and the names of models and views for which there was nothing."""

    versions: dict[str, str]
    missing: list[str]
    features: list[str]
    features_missing: list[str]

    def sentence(self) -> str:
        said = ["baked " + ", ".join(f"{model}={version}" for model, version in self.versions.items())]
        if self.features:
            said.append(f"features of {', '.join(self.features)}")
        if self.missing:
            said.append(f"no production version of {', '.join(self.missing)}")
        if self.features_missing:
            said.append(f"no features of {', '.join(self.features_missing)}: they come from FEATURES_URL")
        return "; ".join(said)


def bake(
    definitions: Iterable[ModelDefinition], registry: Registry, folder: Path, *, features: Path | None
) -> Baked:
    """`folder/models/<model>/` and `folder/features/<view>.parquet`, and a list of the versions. Replaces what is there.

    `features` is the folder that serving reads them from; None where they are kept at a URL, which needs no copy.
    """
    known = list(definitions)
    with TemporaryDirectory() as downloads:
        versions = {
            definition.name: number
            for definition in known
            if (number := _bake_model(definition, registry, Path(downloads), folder / MODELS))
        }
    if not versions:
        raise NothingToBake("no model has a version in production: promote one first (`make promote`)")
    there, absent = _bake_features([known_one for known_one in known if known_one.view], features, folder)
    lines = (f"{model}={version}\n" for model, version in versions.items())
    (folder / LISTING).write_text("".join(lines))
    return Baked(
        versions=versions,
        missing=[definition.name for definition in known if definition.name not in versions],
        features=there,
        features_missing=absent,
    )


def _bake_model(definition: ModelDefinition, registry: Registry, downloads: Path, models: Path) -> str | None:
    """The version's number; None where the alias names none."""
    target = models / definition.name
    shutil.rmtree(target, ignore_errors=True)
    version = registry.by_alias(definition.registry_name, PRODUCTION)
    if version is None:
        return None
    download = downloads / definition.name
    download.mkdir()
    try:
        fetch_servable(definition, registry, version, download)
    except ServableError as error:
        raise TrainingError(f"{definition.name} version {version.number} does not fit: {error}") from error
    models.mkdir(parents=True, exist_ok=True)
    shutil.copytree(download / SERVABLE, target)
    return version.number


def _bake_features(
    definitions: list[ModelDefinition], source: Path | None, folder: Path
) -> tuple[list[str], list[str]]:
    """Views that were copied, and those whose file is not there. The folder exists in any case: settings name it."""
    target = folder / FEATURES
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    (target / ".keep").touch()
    views = [definition.view.name for definition in definitions if definition.view is not None]
    there = [view for view in views if source is not None and (source / f"{view}.parquet").is_file()]
    for view in there:
        assert source is not None
        shutil.copy(source / f"{view}.parquet", target)
    return there, [view for view in views if view not in there]
