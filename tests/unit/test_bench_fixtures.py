"""Model A: Slipway's compiled graph and the peers' native model must be one and the same."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from catboost import CatBoostRegressor

from bench.catalog.model_a.definition import DEFINITION
from bench.catalog.model_a.features import CATEGORIES, FEATURE_COLUMNS
from bench.model_a import synthetic_deliveries, write_model_a
from bench.onehot import category_names
from bench.trained import features_of_first_example, one_thread
from modelkit.columns import feature_matrix
from modelkit.servable import load_servable


def test_the_compiled_model_answers_as_the_native_one(tmp_path: Path) -> None:
    write_model_a(tmp_path / "servable", tmp_path / "peers")
    servable = load_servable(tmp_path / "servable", DEFINITION)
    native = CatBoostRegressor()
    native.load_model(str(tmp_path / "peers" / "model.cbm"))
    frame, _ = synthetic_deliveries(200)
    columns = {name: frame[name].to_numpy() for name in frame}
    outputs = servable.compiled.run(feature_matrix(DEFINITION.build(columns), FEATURE_COLUMNS))
    assert outputs.shape == (200, 1)
    assert native.tree_count_ == 500
    np.testing.assert_allclose(outputs[:, 0], native.predict(frame), atol=1e-3)
    kinds = json.loads((tmp_path / "peers" / "columns.json").read_text())
    assert list(kinds) == list(frame)
    assert [name for name, kind in kinds.items() if kind == "text"] == list(CATEGORIES)


def test_categories_are_read_from_catboosts_python_export() -> None:
    source = 'x = 1\ncat_features_hashes = {\n    "north": -1883343840,\n    "air port": 5\n}\ndef f(): pass'
    assert category_names(source) == {-1883343840: "north", 5: "air port"}


def test_every_category_is_one_column_of_zeros_and_ones() -> None:
    columns = features_of_first_example(DEFINITION)
    assert list(columns) == list(FEATURE_COLUMNS)
    assert (columns["zone=north"], columns["zone=south"], columns["vehicle=scooter"]) == (1.0, 0.0, 1.0)


def test_peers_run_their_estimators_on_one_thread() -> None:
    parameters = {"model__forest__n_jobs": None, "model__boost__thread_count": 4, "n_jobs_hint": 2}
    assert one_thread(parameters) == {"model__forest__n_jobs": 1, "model__boost__thread_count": 1}
