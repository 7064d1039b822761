"""A registry with two versions of two models, trained in seconds, whose answers to the same row differ."""

from __future__ import annotations

import contextlib
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelkit.definition import load_catalog
from records.engine import open_engine
from records.migrate import upgrade
from serving.loaded_model import LoadedModel, load_model
from tests.stage_runs import run_stages
from training.promotion.alias_ledger import Move
from training.promotion.promote import Promoter
from training.registration import register
from training.registry import Registry
from training.version import PRODUCTION

CATALOG = load_catalog()
KNOBS: dict[str, tuple[dict[str, Any], ...]] = {
    "iris": ({}, {"discriminant": {"solver": "lsqr", "shrinkage": 0.01}}),
    "food-delivery": ({}, {"seed": 5}),
}
VERSIONS = ("1", "2")


@dataclass(frozen=True)
class TrainedRegistry:
    """Files to be copied: the registry's database, the product's database with the ledger, and the servables."""

    root: Path

    def copy(self, folder: Path) -> tuple[str, str]:
        """Addresses of a registry and of a database for one test. Version 2 of iris is in production, promoted over
        version 1; so is version 1 of food-delivery. Artifacts are shared: nothing writes to them."""
        names = ("mlflow.db", "slipway.db")
        return tuple(f"sqlite:///{shutil.copy(self.root / name, folder / name)}" for name in names)  # type: ignore[return-value]

    def load(self, model: str, version: str) -> LoadedModel:
        folder = self.root / model / version / "models" / model / "servable"
        return load_model(folder, CATALOG[model], version=version)


def train_registry(root: Path) -> TrainedRegistry:
    database = f"sqlite:///{root / 'slipway.db'}"
    upgrade(database)
    layouts = {
        model: [
            run_stages(CATALOG[model], root / model / version, **knobs)
            for version, knobs in zip(VERSIONS, KNOBS[model], strict=True)
        ]
        for model in KNOBS
    }
    engine = open_engine(database)
    with contextlib.chdir(root):  # MLflow keeps artifacts of a SQLite registry below the current folder
        registry = Registry(f"sqlite:///{root / 'mlflow.db'}")
        for layout in layouts["iris"]:
            register(CATALOG["iris"], layout, registry, engine, actor="ada")
            promoter = Promoter(CATALOG["iris"], registry, engine)
            promoter.promote(Move(alias=PRODUCTION, actor="ada", reason="end to end"))
        first, _ = (
            register(CATALOG["food-delivery"], layout, registry, engine, actor="ada")
            for layout in layouts["food-delivery"]
        )
        registry.move_alias(first.version, PRODUCTION)
    engine.dispose()
    return TrainedRegistry(root)
