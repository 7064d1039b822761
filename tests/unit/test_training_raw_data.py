"""The `data` command: synthetic or real files, written only when they differ."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelkit.definition import ModelDefinition, load_catalog
from training.data.raw_data import write_raw
from training.errors import RawDataMissing
from training.layout import Layout
from training.recipes import recipe_of

IRIS = load_catalog()["iris"]


def test_files_equal_to_what_is_there_are_left_alone(tmp_path: Path) -> None:
    layout = Layout(model="iris", root=tmp_path)
    assert write_raw(IRIS, layout, source=None).written == ("iris.csv.gz",)
    before = (layout.raw / "iris.csv.gz").stat().st_mtime_ns
    assert write_raw(IRIS, layout, source=None).written == ()
    assert (layout.raw / "iris.csv.gz").stat().st_mtime_ns == before


def test_real_files_are_copied_from_the_folder_of_the_model(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "iris").mkdir(parents=True)
    (source / "iris" / "iris.csv.gz").write_bytes(b"flowers")
    layout = Layout(model="iris", root=tmp_path)
    assert write_raw(IRIS, layout, source=source).source == "real files"
    assert (layout.raw / "iris.csv.gz").read_bytes() == b"flowers"


def test_a_missing_real_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(RawDataMissing, match=r"iris/iris\.csv\.gz"):
        write_raw(IRIS, Layout(model="iris", root=tmp_path), source=tmp_path)


@pytest.mark.parametrize("definition", load_catalog().values(), ids=lambda definition: definition.name)
def test_a_synthetic_set_has_every_raw_file_and_the_same_bytes_again(definition: ModelDefinition) -> None:
    recipe = recipe_of(definition)
    files = recipe.synthesise(3)
    assert set(files) == set(recipe.RAW_FILES)
    assert files == recipe.synthesise(3)
