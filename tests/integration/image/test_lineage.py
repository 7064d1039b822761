"""Where the models of an image come from: those that it carries, whatever is in production by now."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from deploy.promotion.provenance import read_origins
from modelkit.definition import load_catalog
from tests.promotion_desk import Desk
from training.commands import lineage
from training.errors import NotRegistered, UnknownModel
from training.settings import TrainingSettings
from training.version import PRODUCTION

IRIS = load_catalog()["iris"]


def origins(desk: Desk, folder: Path, versions: str | None) -> list[str]:
    """As the provenance of an image reads them."""
    chosen = argparse.Namespace(out=folder / "lineage.json", alias=PRODUCTION, versions=versions)
    settings = TrainingSettings(mlflow_tracking_uri=desk.uri)
    lineage.run(chosen, None, settings)
    return [f"{each.model}={each.version} {each.servable}" for each in read_origins(chosen.out)]


def test_the_versions_of_the_image_are_named_though_the_alias_has_moved_on(
    desk: Desk, tmp_path: Path
) -> None:
    maker = desk.versions(IRIS)
    carried, newer = maker.make(), maker.make(bias=2.0)
    desk.registry.move_alias(newer, PRODUCTION)
    assert origins(desk, tmp_path, "iris=1") == [f"iris=1 {carried.digest}"]
    assert origins(desk, tmp_path, None) == [f"iris=2 {newer.digest}"]


def test_an_image_without_models_comes_from_none(desk: Desk, tmp_path: Path) -> None:
    desk.registry.move_alias(desk.versions(IRIS).make(), PRODUCTION)
    assert origins(desk, tmp_path, "") == []


def test_what_nobody_knows_is_not_vouched_for(desk: Desk, tmp_path: Path) -> None:
    with pytest.raises(UnknownModel, match="tulips"):
        origins(desk, tmp_path, "tulips=1")
    with pytest.raises(NotRegistered):
        origins(desk, tmp_path, "iris=9")
