"""No row of any model sees its own future or its own label: raw data is cut and changed, and features must not notice."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from modelkit.definition import ModelDefinition, load_catalog
from modelkit.schema import RequestModel
from tests.raw_history import RawHistory, parsed, raw_history
from training.params import read_params
from training.recipes import recipe_of

MOMENTS = (0.4, 0.8)
LAST_ROWS = 0.5


@dataclass(frozen=True)
class Timed:
    definition: ModelDefinition
    history: RawHistory
    rows: pd.DataFrame

    def labelled(self, history: RawHistory, folder: Path) -> pd.DataFrame:
        return history.recipe.labelled(history.write(folder))[0]

    def features(self, rows: pd.DataFrame) -> pd.DataFrame:
        """In an order that does not depend on that of the files."""
        columns = ["time", "entity", *self.definition.row.model_fields]
        return rows[columns].astype(str).sort_values(columns).reset_index(drop=True)

    def time_at(self, share: float) -> pd.Timestamp:
        times = self.rows["time"].dropna().sort_values()
        return pd.Timestamp(times.iloc[int(share * (len(times) - 1))])


@pytest.fixture(scope="module", params=load_catalog().values(), ids=lambda definition: definition.name)
def timed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Timed | None:
    """None where the rows of the model have no time."""
    definition: ModelDefinition = request.param
    recipe, raw = recipe_of(definition), tmp_path_factory.mktemp("raw")
    for name, content in recipe.synthesise(5).items():
        (raw / name).write_bytes(content)
    rows, _ = recipe.labelled(raw)
    if rows["time"].isna().all():
        return None
    return Timed(definition, raw_history(recipe, raw, rows), rows)


def see_the_future(timed: Timed, folder: Path) -> None:
    """Raises AssertionError where features change when what came later is taken away, or turns out otherwise."""
    for number, share in enumerate(MOMENTS):
        moment = timed.time_at(share)
        earlier = timed.history.before(moment).with_later_outcomes(moment)
        seen = timed.labelled(earlier, folder / str(number))
        expected = timed.rows[timed.rows["time"] < moment]
        pd.testing.assert_frame_equal(timed.features(seen), timed.features(expected))


def see_their_own_label(timed: Timed, folder: Path) -> None:
    """Raises AssertionError where what decides the label of the last rows changes a feature of them."""
    moment = timed.time_at(LAST_ROWS)
    history = timed.history.before(moment + pd.Timedelta(seconds=1))
    file, column = history.born
    last = parsed(history.frames[file][column]) == moment
    before = timed.labelled(history, folder / "before")
    deciding = 0
    for number, place in enumerate(history.places()):
        after = timed.labelled(history.changed(place, last), folder / str(number))
        if decides_labels(before, after):
            deciding += 1
            pd.testing.assert_frame_equal(timed.features(after), timed.features(before), obj=str(place))
    assert deciding


def decides_labels(before: pd.DataFrame, after: pd.DataFrame) -> bool:
    """Whether labels followed the change while times and entities did not."""
    same = len(after) == len(before) and after[["time", "entity"]].equals(before[["time", "entity"]])
    return same and not after["label"].equals(before["label"])


def test_no_feature_sees_what_came_later(timed: Timed | None, tmp_path: Path) -> None:
    if timed is not None:
        see_the_future(timed, tmp_path)


def test_no_feature_sees_the_label_of_its_own_row(timed: Timed | None, tmp_path: Path) -> None:
    if timed is not None:
        see_their_own_label(timed, tmp_path)


def test_prepared_rows_are_labelled_rows_so_that_what_holds_for_these_holds_for_those(
    timed: Timed | None, tmp_path: Path
) -> None:
    if timed is None:
        return
    raw = timed.history.write(tmp_path)
    prepared, _ = timed.history.recipe.prepare(raw, read_params(timed.definition.name).prepare)
    columns = [*timed.definition.row.model_fields, "label", "time", "known_at"]
    dated = prepared[prepared["time"].notna()]
    held = set(pd.util.hash_pandas_object(timed.rows[columns].astype(str), index=False))
    assert len(dated) > 0
    assert set(pd.util.hash_pandas_object(dated[columns].astype(str), index=False)) <= held


class Row(RequestModel):
    shop: str
    shop_mean: float


class LeakyRecipe:
    """Minutes until an order is done, and the mean of its shop over more orders than were known."""

    RAW_FILES = ("orders.csv.gz",)

    def __init__(self, leak: str) -> None:
        self.leak = leak

    def synthesise(self, seed: int) -> pd.DataFrame:
        random = np.random.default_rng(seed)
        ordered = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(300) * 600, unit="s")
        done = ordered + pd.to_timedelta(random.integers(600, 60_000, 300), unit="s")
        shops = random.choice(["a", "b"], 300)
        return pd.DataFrame({"ordered_at": ordered, "done_at": done, "shop": shops})

    def labelled(self, raw: Path) -> tuple[pd.DataFrame, None]:
        orders = pd.read_csv(raw / self.RAW_FILES[0], parse_dates=["ordered_at", "done_at"])
        minutes = (orders["done_at"] - orders["ordered_at"]).dt.total_seconds() / 60
        means = [minutes[self._seen(orders, row)].mean() for row in orders.itertuples()]
        rows = orders.assign(
            shop_mean=means, label=minutes, time=orders["ordered_at"], known_at=orders["done_at"]
        )
        return rows.assign(entity=None), None

    def _seen(self, orders: pd.DataFrame, row: Any) -> pd.Series:
        same = orders["shop"] == row.shop
        return {
            "nothing": same & (orders["done_at"] < row.ordered_at),
            "later orders": same & (orders["ordered_at"] != row.ordered_at),
            "labels not known yet": same & (orders["ordered_at"] < row.ordered_at),
            "its own label": same & (orders["ordered_at"] <= row.ordered_at),
        }[self.leak]


def leaky(leak: str, folder: Path) -> Timed:
    recipe: Any = LeakyRecipe(leak)
    recipe.synthesise(5).to_csv(folder / recipe.RAW_FILES[0], index=False)
    rows, _ = recipe.labelled(folder)
    definition = SimpleNamespace(row=Row)
    return Timed(definition, raw_history(recipe, folder, rows), rows)  # type: ignore[arg-type]


def test_an_honest_recipe_passes(tmp_path: Path) -> None:
    timed = leaky("nothing", tmp_path)
    see_the_future(timed, tmp_path / "future")
    see_their_own_label(timed, tmp_path / "own")


@pytest.mark.parametrize("leak", ["later orders", "labels not known yet", "its own label"])
def test_a_leak_into_the_past_is_found(leak: str, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="shop_mean"):
        see_the_future(leaky(leak, tmp_path), tmp_path / "future")


def test_a_leak_of_the_own_label_is_found(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="shop_mean"):
        see_their_own_label(leaky("its own label", tmp_path), tmp_path / "own")
