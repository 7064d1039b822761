"""A model is declared in one place: its folder, its block of knobs and its entry in the catalog are the same list."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from modelkit.definition import ModelDefinition, load_catalog
from modelkit.feature_code import feature_code
from tests.architecture.source_tree import ROOT, files

CATALOG = load_catalog()
# `recipe` may be one file or a folder.
PARTS = {"__init__", "definition", "schema", "features", "recipe", "CARD"}


def folders() -> set[str]:
    """Of models: one with a leading underscore holds what the recipes of several share."""
    found = {path.parts[1] for path in files() if path.parts[0] == "catalog" and len(path.parts) > 2}
    return {name for name in found if not name.startswith("_")}


def test_every_folder_of_the_catalog_declares_a_model() -> None:
    assert {definition.package for definition in CATALOG.values()} == folders()


def test_every_model_has_a_block_of_knobs_and_every_block_a_model() -> None:
    blocks = yaml.safe_load((ROOT / "params.yaml").read_text())["models"]
    assert {name: block["package"] for name, block in blocks.items()} == {
        d.name: d.package for d in CATALOG.values()
    }


def test_no_two_models_share_a_name_in_the_registry() -> None:
    names = [definition.registry_name for definition in CATALOG.values()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("definition", CATALOG.values(), ids=lambda definition: definition.name)
def test_a_model_has_all_its_parts(definition: ModelDefinition) -> None:
    present = {
        Path(path.parts[2]).stem for path in files() if path.parts[:2] == ("catalog", definition.package)
    }
    assert PARTS - present == set()


@pytest.mark.parametrize("definition", CATALOG.values(), ids=lambda definition: definition.name)
def test_a_change_of_feature_code_that_models_share_builds_their_features_again(
    definition: ModelDefinition,
) -> None:
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    named = {
        name.replace("${item.package}", definition.package) for name in stages["featurize"]["do"]["deps"]
    }
    files = {f"{name.replace('.', '/')}.py" for name in feature_code(definition.build)}
    assert {name for name in files if (ROOT / name).exists()} <= named


def test_what_is_compiled_follows_the_digest_of_the_feature_code() -> None:
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    digest = "data/features/${key}/code.json"
    assert digest in stages["featurize"]["do"]["outs"]
    assert digest in stages["compile"]["do"]["deps"]
