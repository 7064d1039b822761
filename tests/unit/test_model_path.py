"""MODEL_PATH: a folder for each model, or one servable as KServe's storage initializer leaves it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from catalog.iris.definition import DEFINITION as IRIS
from modelkit.servable import CONTRACT
from serving.model_path import ModelPath
from serving.served_models import served_models
from serving.settings import Settings
from tests.tiny_servables import write_tiny


def served(path: Path, **values: Any) -> set[str]:
    return set(
        served_models(
            Settings(**{"slipway_env": "dev", "model_source": "path", "model_path": path, **values})
        )
    )


@pytest.mark.parametrize("inside", ["iris", "iris/servable"])
def test_a_folder_for_each_model(tmp_path: Path, inside: str) -> None:
    write_tiny(IRIS, tmp_path / inside)
    path = ModelPath(tmp_path)
    assert path.folder("iris") == tmp_path / inside
    assert path.folder("basket") is None
    assert path.only_model() is None
    assert len(served(tmp_path)) > 1


@pytest.mark.parametrize("inside", [".", "servable"])
def test_one_servable_names_the_one_model_that_is_served(tmp_path: Path, inside: str) -> None:
    write_tiny(IRIS, tmp_path / inside)
    path = ModelPath(tmp_path)
    assert path.only_model() == "iris"
    assert path.folder("iris") == tmp_path / inside
    assert path.folder("basket") is None
    assert served(tmp_path) == {"iris"}


def test_beside_a_registry_one_servable_is_the_fallback_of_its_model_and_no_more(tmp_path: Path) -> None:
    write_tiny(IRIS, tmp_path)
    assert len(served(tmp_path, model_source="follow")) > 1


def test_a_servable_of_a_model_that_the_catalog_does_not_have_is_refused_by_name(tmp_path: Path) -> None:
    write_tiny(IRIS, tmp_path, model="toaster")
    with pytest.raises(ValueError, match="toaster"):
        served(tmp_path)


def test_a_contract_that_does_not_name_its_model_is_refused(tmp_path: Path) -> None:
    write_tiny(IRIS, tmp_path)
    (tmp_path / CONTRACT).write_text("{}")
    with pytest.raises(ValueError, match="MODEL_PATH"):
        served(tmp_path)
    assert ModelPath(tmp_path).folder("iris") is None


def test_an_empty_path_has_nothing(tmp_path: Path) -> None:
    assert ModelPath(tmp_path).folder("iris") is None
    assert ModelPath(tmp_path / "none").only_model() is None
