"""The fitted pipeline as a file: skops with a reviewed list of types, because a pickle runs whatever it holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import skops.io

# Reviewed: plain data holders of scikit-learn's trees and CatBoost's own (de)serialisation; none of them calls out.
TRUSTED_TYPES = [
    "catboost.core.CatBoostRegressor",
    "numpy.dtype",
    "sklearn._loss._loss.CyHalfSquaredError",
    "sklearn.model_selection._split.KFold",
    "sklearn.tree._tree.Tree",
    "sklearn.utils._bunch.Bunch",
]


def save_pipeline(pipeline: Any, path: Path) -> None:
    """Any fitted scikit-learn estimator."""
    path.parent.mkdir(parents=True, exist_ok=True)
    skops.io.dump(pipeline, path)


def load_pipeline(path: Path) -> Any:
    """Raises skops' UntrustedTypesFoundException for a type outside the list."""
    return skops.io.load(path, trusted=TRUSTED_TYPES)
