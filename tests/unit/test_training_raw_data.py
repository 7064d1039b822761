"""The `data` command: synthetic or real files, written only when they differ."""

from __future__ import annotations

import shutil
from contextlib import chdir
from pathlib import Path

import pytest

from modelkit.definition import ModelDefinition, load_catalog
from training.data.raw_data import MARK, is_synthetic, take_raw, write_raw
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


def test_synthetic_files_say_so_wherever_they_are_taken(tmp_path: Path) -> None:
    made, copied = Layout(model="iris", root=tmp_path / "made"), Layout(model="iris", root=tmp_path / "copy")
    write_raw(IRIS, made, source=None)
    assert is_synthetic(made.raw)
    given = tmp_path / "given" / recipe_of(IRIS).RAW_FOLDER
    shutil.copytree(made.raw, given)
    write_raw(IRIS, copied, source=tmp_path / "given")
    assert is_synthetic(copied.raw)
    (given / MARK).unlink()
    write_raw(IRIS, copied, source=tmp_path / "given")
    assert not is_synthetic(copied.raw)


def test_who_insists_on_real_files_gets_no_synthetic_ones(tmp_path: Path) -> None:
    layout = Layout(model="iris", root=tmp_path)
    with chdir(tmp_path), pytest.raises(RawDataMissing, match="no real files of iris: set SLIPWAY_RAW_DIR"):
        take_raw(IRIS, layout, None, insist=True)
    assert not layout.raw.exists()
