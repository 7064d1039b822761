"""The explicit `data` command: real raw files where they are given, synthetic ones otherwise, which say so of themselves."""

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
MARK = "SYNTHETIC"  # a file beside synthetic ones: it goes where they go, and what is trained on them is told apart by it


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
    _mark(layout.raw, synthetic=source is None or is_synthetic(source / recipe.RAW_FOLDER))
    written = tuple(name for name, content in files.items() if write_if_changed(layout.raw / name, content))
    size = sum(len(content) for content in files.values())
    return RawData(source="synthetic" if source is None else named, size_bytes=size, written=written)


def take_raw(
    definition: ModelDefinition, layout: Layout, given: Path | None, *, insist: bool = False
) -> RawData:
    """The newest raw files there are: those that are given, those that were downloaded, synthetic ones otherwise.

    Raises RawDataMissing instead of the last, where somebody insists on real ones.
    """
    if given is None and is_downloaded(definition):
        return write_raw(definition, layout, DOWNLOADS, "downloaded files")
    if given is None and insist:
        raise RawDataMissing(
            f"REQUIRE_REAL_DATA is set, and there are no real files of {definition.name}: set SLIPWAY_RAW_DIR, or "
            f"fetch them into {DOWNLOADS} (make download-data, or make raw-pull with RAW_DATA_URL)"
        )
    return write_raw(definition, layout, given)


def is_synthetic(raw: Path) -> bool:
    """Whether the raw files of this folder are made up."""
    return (raw / MARK).is_file()


def _mark(raw: Path, *, synthetic: bool) -> None:
    if synthetic:
        write_if_changed(raw / MARK, b"These files are made up; nothing here was measured.\n")
    else:
        (raw / MARK).unlink(missing_ok=True)


def _read(path: Path) -> bytes:
    if not path.is_file():
        raise RawDataMissing(
            f"{path.parent.name}/{path.name} is not in the folder that SLIPWAY_RAW_DIR names"
        )
    return path.read_bytes()
