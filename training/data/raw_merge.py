"""Raw files that came later, laid over the known ones: history for the features of the new rows, file by file."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from training.errors import DataInvalid, RawDataMissing
from training.recipes import Recipe

COMPRESSED = ".gz"


@dataclass(frozen=True, kw_only=True)
class MergedFile:
    """Rows of one file: added, equal to a known row, and taking the place of a known row with the same identifier."""

    name: str
    added: int
    equal: int
    replaced: int


def raw_folder(recipe: Recipe, given: Path) -> Path:
    """The folder with the raw files, whether it was named itself or the one that holds all data sets."""
    inner = given / recipe.RAW_FOLDER
    folder = inner if inner.is_dir() else given
    if not any(_find(folder, name) for name in recipe.RAW_FILES):
        raise RawDataMissing(f"{given} holds none of {', '.join(recipe.RAW_FILES)}")
    return folder


def merge_raw(recipe: Recipe, known: Path, later: Path, into: Path) -> list[MergedFile]:
    """Writes every raw file that either folder has; says what came of the rows of `later`, for each file it has."""
    merged = []
    for name in recipe.RAW_FILES:
        old, new = _find(known, name), _find(later, name)
        if old and new:
            frame, counted = _merge(name, _read(old), _read(new))
            merged.append(counted)
        elif only := old or new:
            frame = _read(only)
        else:
            raise RawDataMissing(f"{name} is neither among the known files nor among the later ones")
        _write(frame, into / name)
    return merged


def _merge(name: str, old: pd.DataFrame, new: pd.DataFrame) -> tuple[pd.DataFrame, MergedFile]:
    """Columns in the known order, then new ones. Where the first column identifies the known rows, a row that says
    otherwise is news about the same thing (an order delivered in the meantime) and takes the old one's place.
    """
    new = new.rename(columns=_spellings(old, new))
    columns = list(dict.fromkeys([*old.columns, *new.columns]))
    old, new = (frame.reindex(columns=columns, fill_value="") for frame in (old, new))
    known = set(_digests(old))
    equal = _digests(new).isin(known)
    new, identifier = new[~equal], columns[0]
    stale = pd.Series(False, index=old.index)
    if old[identifier].is_unique and (old[identifier] != "").all():
        stale = old[identifier].isin(set(new[identifier]))
    counted = MergedFile(name=name, added=len(new), equal=int(equal.sum()), replaced=int(stale.sum()))
    return pd.concat([old[~stale], new], ignore_index=True), counted


def _spellings(old: pd.DataFrame, new: pd.DataFrame) -> dict[str, str]:
    """New column names that are known ones in another spelling (`Time_taken(min)` for `Time_taken (min)`)."""
    bare = {_bare(name): name for name in old.columns if name not in new.columns}
    return {name: bare[_bare(name)] for name in new.columns if name not in old and _bare(name) in bare}


def _bare(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _digests(frame: pd.DataFrame) -> pd.Series:
    return pd.util.hash_pandas_object(frame, index=False)


def _find(folder: Path, name: str) -> Path | None:
    """The file, compressed or not."""
    for path in (folder / name, folder / name.removesuffix(COMPRESSED)):
        if path.is_file():
            return path
    return None


def _read(path: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(path, dtype=str, keep_default_na=False).astype(object)
    except (OSError, ValueError, EOFError, zlib.error) as error:
        raise DataInvalid(f"{path.name} cannot be read: {error}") from error


def _write(frame: pd.DataFrame, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    compression = {"method": "gzip", "compresslevel": 1} if path.suffix == COMPRESSED else None
    frame.to_csv(path, index=False, compression=compression)
