"""Training model A: seeded synthetic deliveries, CatBoost with native categories, and its compiled servable."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from catboost import CatBoostRegressor, Pool

from bench.catalog.model_a.definition import DEFINITION
from bench.catalog.model_a.features import CATEGORIES, FEATURE_COLUMNS, NUMBERS
from bench.onehot import compile_native
from modelkit.columns import feature_matrix
from modelkit.contract import GOLDEN_ROWS, make_contract
from modelkit.reference import Reference, describe
from modelkit.runtime import CompiledModel
from modelkit.servable import Card, write_servable

SEED, ROWS, TREES, DEPTH = 20, 20_000, 500, 6
PARITY_TOLERANCE_MINUTES = 1e-3
RANGES = {
    "distance_km": (0.3, 25.0),
    "preparation_minutes": (3.0, 35.0),
    "courier_age_years": (18.0, 60.0),
    "courier_rating": (2.0, 5.0),
    "temperature_celsius": (-5.0, 38.0),
    "item_count": (1.0, 12.0),
    "order_value": (5.0, 180.0),
    "hour_of_day": (0.0, 24.0),
}


def synthetic_deliveries(rows: int = ROWS) -> tuple[pd.DataFrame, pd.Series]:
    """Features and minutes; the same for everybody, because the generator is seeded."""
    rng = np.random.default_rng(SEED)
    frame = pd.DataFrame({name: rng.uniform(*RANGES[name], rows).round(3) for name in NUMBERS})
    for name, values in CATEGORIES.items():
        frame[name] = rng.choice(values, rows)
    speed = frame["vehicle"].map({"bicycle": 4.5, "scooter": 3.0, "motorcycle": 2.4, "car": 2.8})
    crowded = frame["zone"].isin(["centre", "airport"]) * 6.0
    rush = 5.0 * np.exp(-(((frame["hour_of_day"] - 19.0) / 2.0) ** 2))
    minutes = frame["preparation_minutes"] + frame["distance_km"] * speed + crowded + rush
    return frame, minutes - 2.0 * frame["courier_rating"] + rng.normal(0.0, 2.0, rows)


def train() -> tuple[CatBoostRegressor, Pool]:
    frame, minutes = synthetic_deliveries()
    pool = Pool(frame, minutes, cat_features=list(CATEGORIES))
    model = CatBoostRegressor(
        iterations=TREES,
        depth=DEPTH,
        one_hot_max_size=max(map(len, CATEGORIES.values())),
        random_seed=SEED,
        thread_count=1,
        verbose=False,
        allow_writing_files=False,
    )
    return model.fit(pool), pool


def write_model_a(servable: Path, peers: Path) -> None:
    """The servable that Slipway serves, and the native model in `peers`. Fails when the two answer differently."""
    model, pool = train()
    graph = compile_native(model, pool, FEATURE_COLUMNS)
    frame, _ = synthetic_deliveries(1_000)
    columns = {name: frame[name].to_numpy() for name in frame}
    matrix = feature_matrix(DEFINITION.build(columns), FEATURE_COLUMNS)
    native, compiled = np.asarray(model.predict(frame)), CompiledModel(graph)
    difference = float(np.abs(compiled.run(matrix)[:, 0] - native).max())
    if difference > PARITY_TOLERANCE_MINUTES:
        raise ValueError(
            f"model A: the compiled model differs from the native one by {difference:.2g} minutes"
        )
    rows: list[dict[str, Any]] = frame.head(GOLDEN_ROWS).to_dict("records")
    write_servable(
        servable,
        graph=graph,
        contract=make_contract(DEFINITION, rows, compiled),
        reference=Reference(
            rows=len(frame),
            columns={name: describe(column) for name, column in columns.items()},
            prediction=describe(native),
        ),
        card=_card(difference),
    )
    peers.mkdir(parents=True, exist_ok=True)
    model.save_model(str(peers / "model.cbm"))
    kinds = {name: "number" for name in NUMBERS} | {name: "text" for name in CATEGORIES}
    (peers / "columns.json").write_text(json.dumps(kinds, indent=2))


def _card(difference: float) -> Card:
    return Card(
        model=DEFINITION.name,
        metrics={"compile.max_difference": difference},
        params={"iterations": TREES, "depth": DEPTH, "seed": SEED},
        git_sha="fixture",
        data_hash=f"synthetic-seed-{SEED}",
        trained_at="1970-01-01T00:00:00Z",
        training_seconds=0.0,
        rows={"train": ROWS},
    )
