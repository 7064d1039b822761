"""The same commands against an MLflow server: artifacts travel over HTTP, and an absent server is one clear line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from modelkit.definition import load_catalog
from records.engine import open_engine
from records.migrate import upgrade
from tests.mlflow_server import MlflowServer
from tests.stage_runs import run_stages
from training.errors import RegistryFailed
from training.promotion.alias_ledger import Move
from training.promotion.promote import Promoter
from training.registration import register
from training.registry import Registry, said_in_one_line
from training.version import PRODUCTION

IRIS = load_catalog()["iris"]

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.timeout(180)]


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Engine]:
    url = f"sqlite:///{tmp_path / 'slipway.db'}"
    upgrade(url)
    engine = open_engine(url)
    yield engine
    engine.dispose()


def test_a_version_is_registered_promoted_and_downloaded_through_a_server(
    tmp_path: Path, ledger: Engine
) -> None:
    server = MlflowServer(tmp_path)
    try:
        registry = Registry(server.url)
        version = register(IRIS, run_stages(IRIS, tmp_path), registry, ledger, actor="ada").version
        Promoter(IRIS, registry, ledger).promote(Move(alias=PRODUCTION, actor="ada", reason=""))
        found = registry.by_alias(IRIS.registry_name, PRODUCTION)
        assert found is not None
        assert found.number == version.number
        assert (registry.download(found, "servable", tmp_path / "there") / "model.onnx").is_file()
    finally:
        server.stop()


def test_a_registry_that_is_away_is_not_an_empty_one() -> None:
    registry = Registry("http://127.0.0.1:9")
    with pytest.raises(RegistryFailed, match="127"), said_in_one_line():
        registry.by_alias(IRIS.registry_name, PRODUCTION)
