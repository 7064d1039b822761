"""The explicit `data` command: real raw files where they are given, synthetic ones otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from modelkit.definition import ModelDefinition
from training.data.downloads import DOWNLOADS, is_downloaded
from training.errors import RawDataMissing
from training.files import write_if_changed
from training.layout import Layout
from training.recipes import recipe_of

SYNTHETIC_SEED = 20220211


@dataclass(frozen=True, kw_only=True)
class RawData:
    """What the command did: from where, how many bytes, and which files it had to write."""

    source: str
    size_bytes: int
    written: tuple[str, ...]


def write_raw(
    definition: ModelDefinition, layout: Layout, source: Path | None, named: str = "real files"
) -> RawData:
    """Files equal to what is there are left alone, so that DVC sees no change where there is none.

    `named` is how the source is called in what the command says.
    """
    recipe = recipe_of(definition)
    if source is None:
        files = recipe.synthesise(SYNTHETIC_SEED)
    else:
        files = {name: _read(source / recipe.RAW_FOLDER / name) for name in recipe.RAW_FILES}
    written = tuple(name for name, content in files.items() if write_if_changed(layout.raw / name, content))
    size = sum(len(content) for content in files.values())
    return RawData(source="synthetic" if source is None else named, size_bytes=size, written=written)


def take_raw(definition: ModelDefinition, layout: Layout, given: Path | None) -> RawData:
    """The newest raw files there are: those that are given, those that were downloaded, synthetic ones otherwise."""
    if given is None and is_downloaded(definition):
        return write_raw(definition, layout, DOWNLOADS, "downloaded files")
    return write_raw(definition, layout, given)


def _read(path: Path) -> bytes:
    if not path.is_file():
        raise RawDataMissing(
            f"{path.parent.name}/{path.name} is not in the folder that SLIPWAY_RAW_DIR names"
        )
    return path.read_bytes()
