"""Raw files of food-delivery to prepared rows: request columns, label, time, entity and a split ordered by time."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from catalog.food_delivery.recipe.cleaning import COORDINATES, clean, label_of
from catalog.food_delivery.recipe.raw import DATED, UNDATED, read_raw
from catalog.food_delivery.schema import FoodDeliveryRequest
from modelkit.tally import RowTally


def prepare(raw: Path, params: Mapping[str, Any]) -> tuple[pd.DataFrame, RowTally]:
    """Test is the last `test_days` of the dated rows, validation the days before; undated rows only ever train."""
    tally = RowTally()
    dated = _load(raw / DATED, tally)
    dated = _drop(dated, dated["time"].isna(), "no order date", tally)
    frames = [dated.assign(split=_split(dated["time"], params))]
    if params["use_undated_rows"]:
        frames.append(_undated(raw / UNDATED, dated, tally).assign(split="train"))
    rows = pd.concat(frames, ignore_index=True)
    rows = rows.assign(known_at=rows["time"]).sort_values(["time", "ordered_at", "id"], kind="stable")
    columns = [*FoodDeliveryRequest.model_fields, "label", "time", "known_at", "entity", "split"]
    return rows[columns].reset_index(drop=True), tally


def labelled(raw: Path) -> tuple[pd.DataFrame, RowTally]:
    """Every dated row with a label; gaps and placeholders stay as they are."""
    tally = RowTally()
    rows = _cleaned(_with_label(raw / DATED, tally), tally)
    rows = rows.assign(known_at=rows["time"])
    return rows[[*FoodDeliveryRequest.model_fields, "label", "time", "known_at", "entity"]], tally


def _load(path: Path, tally: RowTally) -> pd.DataFrame:
    raw = _with_label(path, tally)
    # Only the dated file's ids identify a row; the other file went through a spreadsheet that mangled them.
    twice = raw.duplicated() if path.name == UNDATED else raw["id"].duplicated()
    return _cleaned(_drop(raw, twice, "duplicate row", tally), tally)


def _with_label(path: Path, tally: RowTally) -> pd.DataFrame:
    """Raw text, but for the label."""
    raw = read_raw(path)
    tally.read[path.name] += len(raw)
    raw = raw.assign(label=label_of(raw["label"]))
    return _drop(raw, raw["label"].isna(), "no label", tally)


def _cleaned(raw: pd.DataFrame, tally: RowTally) -> pd.DataFrame:
    kept = [name for name in ("label", "in_train_raw") if name in raw]
    return clean(raw, tally.repaired).join(raw[kept])


def _undated(path: Path, dated: pd.DataFrame, tally: RowTally) -> pd.DataFrame:
    """Rows that the dated file may hold too are dropped, also where a mangled id hides it: they could be test rows."""
    rows = _load(path, tally)
    rows = _drop(rows, rows["in_train_raw"] == "1", "undated copy of a dated row, by id", tally)
    return _drop(rows, _keys(rows).isin(set(_keys(dated))), "undated copy of a dated row, by values", tally)


def _keys(rows: pd.DataFrame) -> pd.Series:
    places = [rows[name].abs().round(4).astype(str) for name in COORDINATES]
    return rows["entity"].fillna("").str.cat([*places, rows["label"].astype(str)], sep="|")


def _split(time: pd.Series, params: Mapping[str, Any]) -> pd.Series:
    test_from = time.max() - pd.Timedelta(days=params["test_days"] - 1)
    valid_from = test_from - pd.Timedelta(days=params["valid_days"])
    split = pd.Series("train", index=time.index, dtype=object)
    split[time >= valid_from] = "valid"
    split[time >= test_from] = "test"
    return split


def _drop(rows: pd.DataFrame, unusable: pd.Series, reason: str, tally: RowTally) -> pd.DataFrame:
    if found := int(unusable.sum()):
        tally.dropped[reason] += found
    return rows[~unusable]
