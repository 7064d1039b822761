"""The public data set behind food-delivery, from Kaggle's spelling to that of the raw files."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from catalog.food_delivery.recipe.raw import DATED, REQUESTS, UNDATED

DATA_SET = "gauravmalik26/food-delivery-dataset"
TARGET = "Time_taken (min)"
COPIES = 100
CLOCKS = ["Order_Date", "Time_Orderd", "Time_Order_picked"]


def download(fetch: Callable[[str], Path]) -> dict[str, bytes]:
    """Every labelled row has a date there, so the undated file brings nothing new."""
    folder = fetch(DATA_SET)
    labelled = _read(folder / "train.csv").rename(columns={"Time_taken(min)": TARGET})
    labelled[TARGET] = labelled[TARGET].str.removeprefix("(min)").str.strip()
    labelled = labelled.rename(columns={"Weatherconditions": "Weather_conditions"})
    # A few copies, marked as such: a file without any row would say that something is missing.
    complete = ~labelled.isin(["", "NaN", "conditions NaN"]).any(axis=1)
    undated = labelled[complete].head(COPIES).drop(columns=CLOCKS).assign(in_train_raw="1")
    undated = undated.rename(columns={TARGET: "Time_taken(min)", "Weather_conditions": "Weatherconditions"})
    frames = {DATED: labelled, UNDATED: undated, REQUESTS: _read(folder / "test.csv")}
    return {
        name: gzip.compress(frame.to_csv(index=False).encode(), mtime=0) for name, frame in frames.items()
    }


def _read(path: Path) -> pd.DataFrame:
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    return frame.apply(lambda column: column.str.strip())
