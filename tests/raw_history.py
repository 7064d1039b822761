"""Raw data as it looked at an earlier moment, for any model: which column says when a row came to be is found by value."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from training.recipes import Recipe

Frames = dict[str, pd.DataFrame]
Place = tuple[str, str]  # a file and a column
FORMATS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d", "%d-%m-%Y", "%m/%d/%Y %H:%M")
MOST = 0.9


@dataclass(frozen=True)
class RawHistory:
    """Raw files as text. `born` is when a row came to be, `outcome` when its label became known, if that is another column."""

    recipe: Recipe
    frames: Frames
    born: Place
    outcome: Place | None

    def before(self, moment: pd.Timestamp) -> RawHistory:
        """Without the rows from `moment` on, and without the rows of other files that belong to those alone."""
        file, column = self.born
        primary = self.frames[file]
        late = parsed(primary[column]) >= moment
        frames = {**self.frames, file: primary[~late]}
        for name, frame in self.frames.items():
            for key in set(frame.columns) & set(primary.columns) if name != file else ():
                if primary[key].is_unique:
                    frames[name] = frames[name][~frames[name][key].isin(set(primary[key][late]))]
        return replace(self, frames=frames)

    def from_on(self, moment: pd.Timestamp) -> RawHistory:
        """The complement of `before`, as somebody would send it: files that have no later row are left out."""
        early = self.before(moment).frames
        late = {name: frame.drop(early[name].index) for name, frame in self.frames.items()}
        return replace(self, frames={name: frame for name, frame in late.items() if len(frame)})

    def with_later_outcomes(self, moment: pd.Timestamp) -> RawHistory:
        """Labels that are not known yet at the moment turn out otherwise."""
        if self.outcome is None:
            return self
        file, column = self.outcome
        frame = self.frames[file].copy()
        times = parsed(frame[column])
        future = times > moment
        frame.loc[future, column] = (times[future] + pd.Timedelta(days=5)).dt.strftime("%Y-%m-%d %H:%M:%S")
        return replace(self, frames={**self.frames, file: frame})

    def changed(self, place: Place, rows: pd.Series) -> RawHistory:
        """Another value in one column of these rows, of the kind that was there."""
        file, column = place
        frame = self.frames[file].copy()
        frame.loc[rows, column] = frame.loc[rows, column].map(_another)
        return replace(self, frames={**self.frames, file: frame})

    def places(self) -> Iterator[Place]:
        """Columns of the file of rows whose values can be changed: numbers and times."""
        file, born = self.born
        for column in self.frames[file]:
            if column != born and _another(self.frames[file][column].replace("", pd.NA).dropna().iloc[0]):
                yield file, str(column)

    def write(self, folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        for name, frame in self.frames.items():
            frame.to_csv(folder / name, index=False, compression={"method": "gzip", "compresslevel": 1})
        return folder


def raw_history(recipe: Recipe, raw: Path, rows: pd.DataFrame) -> RawHistory:
    """`rows` are the labelled ones of `raw`; their times say which columns hold them."""
    frames = {
        name: pd.read_csv(raw / name, dtype=str, keep_default_na=False).astype(object)
        for name in recipe.RAW_FILES
    }
    born = _place_of(frames, rows["time"])
    assert born is not None, "no raw column holds the times of the rows"
    outcome = _place_of(frames, rows["known_at"])
    return RawHistory(recipe, frames, born, None if outcome == born else outcome)


def parsed(column: pd.Series) -> pd.Series:
    """As times, in the format that most values have; missing throughout where they are no times."""
    sample = column[column != ""].head(100)
    for form in FORMATS:
        if pd.to_datetime(sample, format=form, errors="coerce").notna().mean() >= MOST:
            return pd.to_datetime(column, format=form, errors="coerce")
    return pd.Series(pd.NaT, index=column.index, dtype="datetime64[ns]")


def _place_of(frames: Frames, wanted: pd.Series) -> Place | None:
    for name, frame in frames.items():
        for column in frame:
            if wanted.isin(set(parsed(frame[column]).dropna())).mean() >= MOST:
                return name, str(column)
    return None


def _another(text: str) -> str:
    """Empty for what is neither a number nor a time."""
    try:
        value = float(text)
    except ValueError:
        time = parsed(pd.Series([text], dtype=object)).iloc[0]
        return "" if pd.isna(time) else str(time + pd.Timedelta(days=3))
    return str(int(value) + 1) if value == int(value) and "." not in text else f"{value * 1.1:.6f}"
