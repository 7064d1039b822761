"""One ONNX graph answers what the scikit-learn pipeline answers, gaps included, and a row alone what it answers in a batch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from catboost import CatBoostClassifier, CatBoostRegressor
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import (
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    StackingRegressor,
    VotingRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import HuberRegressor, LinearRegression, LogisticRegression, PoissonRegressor, Ridge
from sklearn.model_selection import KFold
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)
from sklearn.tree import DecisionTreeRegressor

from modelkit.runtime import CompiledModel
from training.compiling.graph import to_graph
from training.errors import CompileRefused

RANDOM = np.random.default_rng(5)
COUNT, NUMBERS, CODES = 400, ["a", "b", "c", "d", "e"], ["shop", "town"]


def float32(values: Any) -> np.ndarray:
    return np.asarray(values, dtype=np.float32).astype(np.float64)


ROWS = pd.DataFrame(float32(RANDOM.normal(size=(COUNT, 5)) * [1, 10, 0.1, 3, 1] + 2), columns=NUMBERS)
ROWS["shop"] = float32(RANDOM.integers(0, 40, COUNT) + 16_000_000)
ROWS["town"] = float32(RANDOM.integers(0, 4, COUNT))
LABELS = 20 + ROWS["a"] * 2 + np.abs(ROWS["b"]) + ROWS["shop"] % 7 + RANDOM.normal(0, 0.1, COUNT)
CLASSES = np.where(LABELS < 26, "low", np.where(LABELS < 32, "middle", "top"))
GAPS = ROWS.mask(RANDOM.random(ROWS.shape) < 0.2)
# What serving meets and training did not: gaps in other places, codes that are new.
UNSEEN = ROWS.sample(frac=1, random_state=1).mask(RANDOM.random(ROWS.shape) < 0.3)
UNSEEN["shop"] += RANDOM.integers(0, 2, COUNT) * 40.0
UNSEEN["town"] += RANDOM.integers(0, 2, COUNT) * 4.0


def boosted(**knobs: Any) -> CatBoostRegressor:
    return CatBoostRegressor(
        iterations=20, depth=3, verbose=0, thread_count=1, allow_writing_files=False, **knobs
    )


def filled(last: Any) -> Pipeline:
    return make_pipeline(SimpleImputer(strategy="median"), last)


def scaled(last: Any) -> Pipeline:
    return make_pipeline(SimpleImputer(), StandardScaler(), last)


def on_codes(step: Any) -> ColumnTransformer:
    return ColumnTransformer([("codes", step, CODES)])


def encoded() -> ColumnTransformer:
    return ColumnTransformer(
        [
            ("numbers", make_pipeline(SimpleImputer(add_indicator=True), RobustScaler()), NUMBERS),
            ("shop", TargetEncoder(cv=KFold(3)), ["shop"]),
            ("town", OneHotEncoder(handle_unknown="ignore"), ["town"]),
            ("nothing", "drop", ["a"]),
        ]
    )


def members() -> list[tuple[str, Any]]:
    return [
        ("catboost", boosted()),
        ("forest", filled(RandomForestRegressor(n_estimators=10, random_state=0))),
        ("line", scaled(Ridge())),
    ]


REGRESSORS = {
    "catboost": boosted(),
    "catboost of a count": boosted(loss_function="Poisson"),
    "forest": RandomForestRegressor(n_estimators=10, random_state=0),
    "extra trees": filled(ExtraTreesRegressor(n_estimators=10, random_state=0)),
    "tree": DecisionTreeRegressor(max_depth=5, random_state=0),
    "boosting": filled(GradientBoostingRegressor(n_estimators=20, random_state=0)),
    "boosting from zero": filled(GradientBoostingRegressor(n_estimators=20, init="zero", random_state=0)),
    "histogram boosting": HistGradientBoostingRegressor(max_iter=20, random_state=0),
    "histogram boosting of a count": HistGradientBoostingRegressor(
        loss="poisson", max_iter=20, random_state=0
    ),
    "line": scaled(LinearRegression()),
    "line of a constant fill": make_pipeline(
        SimpleImputer(strategy="constant", fill_value=-9.0), HuberRegressor(max_iter=1000, tol=1e-2)
    ),
    "log line": scaled(PoissonRegressor()),
    "vote": VotingRegressor(members(), weights=[2, 1, 0.5]),
    "equal vote": VotingRegressor(members()),
    "stack": StackingRegressor(members(), scaled(Ridge()), cv=3),
    "stack with features": StackingRegressor(members(), boosted(), cv=3, passthrough=True),
    "log target": TransformedTargetRegressor(boosted(), func=np.log1p, inverse_func=np.expm1),
    "root target": TransformedTargetRegressor(boosted(), func=np.sqrt, inverse_func=np.square),
    "scaled target": TransformedTargetRegressor(
        filled(GradientBoostingRegressor(n_estimators=10, random_state=0)), transformer=StandardScaler()
    ),
    "columns": make_pipeline(encoded(), boosted()),
    "stack behind columns": make_pipeline(encoded(), StackingRegressor(members(), Ridge(), cv=3)),
    "columns in a log target": TransformedTargetRegressor(
        make_pipeline(encoded(), Ridge()), func=np.log, inverse_func=np.exp
    ),
}


def run(pipeline: Any, rows: pd.DataFrame) -> np.ndarray:
    compiled = CompiledModel(to_graph(pipeline, rows.shape[1]))
    matrix = np.ascontiguousarray(rows.to_numpy(dtype=np.float32))
    together = compiled.run(matrix)
    for size in (1, 3):
        parts = [compiled.run(matrix[start : start + size]) for start in range(0, len(matrix), size)]
        same = np.array_equal(together, np.concatenate(parts), equal_nan=True)
        assert same, "a row answers otherwise in a batch"
    return together


@pytest.mark.parametrize("rows", [GAPS, UNSEEN], ids=["seen", "unseen"])
@pytest.mark.parametrize("name", REGRESSORS)
def test_a_regressor_answers_the_same(name: str, rows: pd.DataFrame) -> None:
    pipeline = REGRESSORS[name].fit(GAPS, LABELS)
    np.testing.assert_allclose(run(pipeline, rows)[:, 0], pipeline.predict(rows), rtol=2e-6)


CLASSIFIERS = {
    "discriminant": scaled(LinearDiscriminantAnalysis()),
    "logistic": scaled(LogisticRegression()),
    "forest": RandomForestClassifier(n_estimators=10, random_state=0),
    "boosting": filled(GradientBoostingClassifier(n_estimators=10, random_state=0)),
    "histogram boosting": HistGradientBoostingClassifier(max_iter=10, random_state=0),
    "catboost": CatBoostClassifier(iterations=10, verbose=0, thread_count=1, allow_writing_files=False),
}


@pytest.mark.parametrize("classes", [CLASSES, np.where(CLASSES == "top", "top", "other")], ids=["3", "2"])
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_a_classifier_gives_a_probability_per_class(name: str, classes: np.ndarray) -> None:
    pipeline = CLASSIFIERS[name].fit(GAPS, classes)
    outputs = run(pipeline, UNSEEN)
    assert outputs.shape == (COUNT, len(set(classes)))
    np.testing.assert_allclose(outputs, pipeline.predict_proba(UNSEEN), atol=2e-6)


TRANSFORMERS = {
    "median": SimpleImputer(strategy="median"),
    "columns without a value": SimpleImputer(keep_empty_features=True),
    "standard": StandardScaler(),
    "standard without mean": StandardScaler(with_mean=False),
    "robust": RobustScaler(),
    "range": MinMaxScaler(),
    "largest": MaxAbsScaler(),
    "target mean": TargetEncoder(cv=KFold(3)),
    "one hot": on_codes(OneHotEncoder(handle_unknown="ignore", sparse_output=False)),
    "one hot of all but one": on_codes(
        OneHotEncoder(handle_unknown="ignore", drop="first", sparse_output=False)
    ),
    "ordinal": OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
    "ordinal with gaps": OrdinalEncoder(
        handle_unknown="use_encoded_value", unknown_value=-2, encoded_missing_value=-1
    ),
    "two at once": FeatureUnion([("same", "passthrough"), ("large", FunctionTransformer(np.abs))]),
    "the rest as it is": ColumnTransformer([("a", StandardScaler(), ["a"])], remainder="passthrough"),
    "columns by place": ColumnTransformer([("two", "passthrough", [3, 1])], remainder=StandardScaler()),
    "powers": make_pipeline(SimpleImputer(), PolynomialFeatures(2)),
}


@pytest.mark.filterwarnings("ignore:Found unknown categories:UserWarning")
@pytest.mark.parametrize("name", TRANSFORMERS)
def test_a_transformer_gives_the_same_columns(name: str) -> None:
    transformer = TRANSFORMERS[name].fit(GAPS, LABELS)
    expected = transformer.transform(UNSEEN)
    np.testing.assert_allclose(run(transformer, UNSEEN), expected, rtol=1e-6, atol=1e-7)


REFUSED = {
    "a library's type": (make_pipeline(SimpleImputer(), Nystroem(n_components=5)), "Nystroem"),
    "text": (OneHotEncoder(handle_unknown="ignore"), "OneHotEncoder"),
    "an unknown that fails": (OneHotEncoder(), "OneHotEncoder: a graph cannot fail"),
    "a logarithm": (
        make_pipeline(FunctionTransformer(np.abs), FunctionTransformer(np.log1p)),
        "FunctionTransformer",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_no_graph_can_be_made_of_is_refused_by_name(name: str) -> None:
    step, named = REFUSED[name]
    rows = ROWS.astype(str) if name == "text" else ROWS
    with pytest.raises(CompileRefused, match=named):
        to_graph(step.fit(rows, LABELS), rows.shape[1])


def test_codes_that_float32_cannot_tell_apart_are_refused() -> None:
    rows = pd.DataFrame({"shop": [2.0**24, 2.0**24 + 1]})
    with pytest.raises(CompileRefused, match="tell its codes apart"):
        to_graph(OneHotEncoder(handle_unknown="ignore").fit(rows), 1)


class Doubled(StandardScaler):  # type: ignore[misc]
    """A subclass may compute anything."""


def test_a_subclass_is_not_taken_for_its_parent() -> None:
    with pytest.raises(CompileRefused, match="Doubled"):
        to_graph(Doubled().fit(ROWS), ROWS.shape[1])
