"""What an image carries: the versions behind the alias of a real registry, and the feature files that serving reads."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from modelkit.definition import load_catalog
from modelkit.servable import load_servable
from tests.promotion_desk import Desk
from training.baking import bake
from training.errors import NothingToBake, TrainingError
from training.version import PRODUCTION

CATALOG = load_catalog()
IRIS, BASKET = CATALOG["iris"], CATALOG["basket"]


def promoted(desk: Desk, *definitions: object) -> None:
    for definition in definitions:
        version = desk.versions(definition).make()  # type: ignore[arg-type]
        desk.registry.move_alias(version, PRODUCTION)


def test_it_is_the_version_in_production(desk: Desk, tmp_path: Path) -> None:
    versions = desk.versions(IRIS)
    desk.registry.move_alias(versions.make(), PRODUCTION)
    newer = versions.make(bias=2.0)
    baked = bake(CATALOG.values(), desk.registry, tmp_path / "baked", features=None)
    assert baked.versions == {"iris": "1"}
    assert "housing" in baked.missing
    servable = load_servable(tmp_path / "baked" / "models" / "iris", IRIS)
    assert servable.digest == desk.registry.by_number(IRIS.registry_name, "1").digest != newer.digest
    assert (tmp_path / "baked" / "versions.env").read_text() == "iris=1\n"


def test_features_are_copied_where_they_are_files(desk: Desk, tmp_path: Path) -> None:
    assert BASKET.view is not None
    online = tmp_path / "online"
    online.mkdir()
    (online / f"{BASKET.view.name}.parquet").write_bytes(b"rows")
    (online / "other.parquet").write_bytes(b"not of a view")
    promoted(desk, BASKET)
    baked = bake(CATALOG.values(), desk.registry, tmp_path / "baked", features=online)
    assert baked.features == [BASKET.view.name]
    copied = {path.name for path in (tmp_path / "baked" / "features").glob("*.parquet")}
    assert copied == {f"{BASKET.view.name}.parquet"}


def test_baking_again_replaces_what_is_no_longer_in_production(desk: Desk, tmp_path: Path) -> None:
    promoted(desk, IRIS, BASKET)
    bake(CATALOG.values(), desk.registry, tmp_path, features=None)
    desk.registry.remove_alias(IRIS.registry_name, PRODUCTION)
    bake(CATALOG.values(), desk.registry, tmp_path, features=None)
    assert [path.name for path in (tmp_path / "models").iterdir()] == ["basket"]


def test_without_a_promoted_version_there_is_nothing_to_carry(desk: Desk, tmp_path: Path) -> None:
    with pytest.raises(NothingToBake):
        bake(CATALOG.values(), desk.registry, tmp_path, features=None)


def test_a_version_that_this_code_cannot_serve_is_refused(desk: Desk, tmp_path: Path) -> None:
    promoted(desk, IRIS)
    other = dataclasses.replace(IRIS, feature_columns=(*IRIS.feature_columns, "petals"))
    with pytest.raises(TrainingError, match="iris version 1 does not fit"):
        bake([other], desk.registry, tmp_path, features=None)
