"""Loading the benchmarked estimator in a peer's environment, the same way for every peer.

The folder (named by PEER_MODEL) is written by `bench.fixtures`: `columns.json` names the columns in order and says which
are text, and the estimator lies beside it as `model.cbm` (CatBoost's own format) or `model.joblib` (scikit-learn).
"""

import json
import os
from pathlib import Path
from typing import Any

import pandas as pd


def folder() -> Path:
    return Path(os.environ["PEER_MODEL"])


def column_types() -> dict[str, type]:
    columns = json.loads((folder() / "columns.json").read_text())
    return {name: str if kind == "text" else float for name, kind in columns.items()}


def load() -> Any:
    native = folder() / "model.cbm"
    if native.exists():
        from catboost import CatBoostRegressor

        model = CatBoostRegressor()
        model.load_model(str(native))
        return model
    import joblib

    return joblib.load(folder() / "model.joblib")


def frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    return pd.DataFrame(rows)
