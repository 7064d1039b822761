"""A real MLflow registry and a real ledger, both on SQLite, and the stages of iris run three times."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from records.engine import open_engine
from tests.iris_versions import IRIS, Register, Trained
from tests.stage_runs import run_stages
from training import registration
from training.layout import Layout
from training.promotion.promote import Promoter
from training.registry import Registry


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    def run(name: str, **knobs: object) -> Layout:
        return run_stages(IRIS, tmp_path_factory.mktemp(name), **knobs)

    worse = {"solver": "lsqr", "shrinkage": 1.0, "priors": [0.98, 0.01, 0.01]}
    return Trained(run("first"), run("second"), run("worse", discriminant=worse))


@pytest.fixture
def registry(mlflow_uri: str, tmp_path: Path) -> Iterator[Registry]:
    """MLflow keeps artifacts of a SQLite registry below the current folder."""
    with contextlib.chdir(tmp_path):
        yield Registry(mlflow_uri)


@pytest.fixture
def ledger(sqlite_url: str) -> Iterator[Engine]:
    engine = open_engine(sqlite_url)
    yield engine
    engine.dispose()


@pytest.fixture
def promoter(registry: Registry, ledger: Engine) -> Promoter:
    return Promoter(IRIS, registry, ledger)


@pytest.fixture
def register(registry: Registry, ledger: Engine) -> Register:
    """What `python -m training register` does."""
    return lambda layout: registration.register(IRIS, layout, registry, ledger, actor="ada").version
