"""The training half of parcel-price. Left out of the image: nothing that serves may import it."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa
from catalog.parcel_price.schema import ParcelPriceRequest
from catboost import CatBoostRegressor
from optuna import Trial
from sklearn.pipeline import Pipeline

from modelkit.tally import RowTally

FILE = "parcels.csv.gz"
RAW_FOLDER, RAW_FILES = "parcels", (FILE,)
RAW_SCHEMAS = {
    FILE: pa.DataFrameSchema(
        {
            "weight_kg": pa.Column(float, pa.Check.in_range(0, 50)),
            "distance_km": pa.Column(float, pa.Check.in_range(0, 5000)),
            "zone": pa.Column(str, pa.Check.isin(["city", "land", "island"]), nullable=True),
            "sent_at": pa.Column("datetime64[ns]"),
            "price": pa.Column(float, pa.Check.gt(0)),
        }
    )
}
DAYS, ROWS = 90, 3000


def synthesise(seed: int) -> dict[str, bytes]:
    random = np.random.default_rng(seed)
    weight, distance = random.uniform(0.1, 30, ROWS).round(2), random.uniform(1, 1500, ROWS).round(1)
    zone = random.choice(["city", "land", "island", ""], ROWS, p=[0.5, 0.35, 0.1, 0.05])
    price = 3 + 0.4 * weight + 0.005 * distance + 6.0 * (zone == "island") + random.normal(0, 0.3, ROWS)
    day = pd.Timestamp("2025-01-01") + pd.to_timedelta(np.sort(random.integers(0, DAYS, ROWS)), unit="D")
    frame = pd.DataFrame(
        {"weight_kg": weight, "distance_km": distance, "zone": zone, "sent_at": day, "price": price.round(2)}
    )
    return {FILE: gzip.compress(frame.to_csv(index=False).encode(), mtime=0)}


def download(fetch: Callable[[str], Path]) -> dict[str, bytes]:
    """No public source has these parcels."""
    return synthesise(seed=0)


def labelled(raw: Path) -> tuple[pd.DataFrame, RowTally]:
    tally = RowTally()
    rows = pd.read_csv(raw / FILE, parse_dates=["sent_at"])
    tally.read[FILE] += len(rows)
    day = rows["sent_at"].astype("datetime64[s]")
    rows = rows.assign(label=rows["price"], time=day, known_at=day, entity=None)
    rows["zone"] = rows["zone"].astype(object).where(rows["zone"].notna(), None)
    return rows[[*ParcelPriceRequest.model_fields, "label", "time", "known_at", "entity"]], tally


def prepare(raw: Path, params: Mapping[str, Any]) -> tuple[pd.DataFrame, RowTally]:
    """Ordered by time: the last days are the test, the days before them the validation."""
    rows, tally = labelled(raw)
    test_from = rows["time"].max() - pd.Timedelta(days=params["test_days"] - 1)
    valid_from = test_from - pd.Timedelta(days=params["valid_days"])
    rows = rows.assign(split="train")
    rows.loc[rows["time"] >= valid_from, "split"] = "valid"
    rows.loc[rows["time"] >= test_from, "split"] = "test"
    return rows, tally


def make_estimator(params: Mapping[str, Any], seed: int) -> Pipeline:
    model = CatBoostRegressor(
        **params["catboost"], random_seed=seed, thread_count=1, verbose=0, allow_writing_files=False
    )
    return Pipeline([("catboost", model)])


def suggest(trial: Trial) -> dict[str, Any]:
    return {"catboost": {"iterations": 200, "depth": trial.suggest_int("depth", 3, 6)}}
