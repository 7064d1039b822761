"""What makes a training a new one: its data, its knobs, the code of its folder, and the code that it shares."""

from __future__ import annotations

import dataclasses
import importlib.util
import shutil
from pathlib import Path

import pytest

from modelkit.definition import ModelDefinition, load_catalog
from tests.architecture.source_tree import ROOT
from training.retraining.inputs import inputs_digest

MODELS = load_catalog()


def in_copy(name: str, catalog: Path) -> ModelDefinition:
    """The definition with its feature code from a copy of the catalog."""
    file = catalog / MODELS[name].package / "features.py"
    spec = importlib.util.spec_from_file_location(f"copied_{MODELS[name].package}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return dataclasses.replace(MODELS[name], build=module.build)


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    copied = tmp_path / "catalog"
    shutil.copytree(ROOT / "catalog", copied, ignore=shutil.ignore_patterns("__pycache__"))
    return copied


def digest_of(name: str, catalog: Path, seed: int = 1) -> str:
    return inputs_digest(in_copy(name, catalog), data_hash="sha256:0", params={"train.seed": seed})


@pytest.mark.parametrize("file", ["features.py", "recipe/orders.py"])
@pytest.mark.parametrize("name", ["olist-delivery", "order-delivery"])
def test_shared_code_that_changed_is_something_new(name: str, file: str, catalog: Path) -> None:
    before, alone = digest_of(name, catalog), digest_of("iris", catalog)
    with (catalog / "_olist" / file).open("a") as code:
        code.write("# changed\n")
    assert digest_of(name, catalog) != before
    assert digest_of("iris", catalog) == alone


def test_another_knob_is_something_new_and_the_same_again_is_not(catalog: Path) -> None:
    assert digest_of("iris", catalog, seed=2) != digest_of("iris", catalog)
    assert digest_of("iris", catalog) == digest_of("iris", catalog)
