"""Ours beside shap's, which is too much for the image: the same numbers to 1e-6 where both are exact."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.ensemble import GradientBoostingRegressor, RandomForestRegressor, VotingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline

from modelkit.runtime import CompiledModel
from modelkit.shapley import Game, by_permutations, exact
from modelkit.tree_shap import TreeValues
from training.compiling.graph import to_graph

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # shap's own, and those of what it imports
    import shap

pytestmark = pytest.mark.filterwarnings("ignore")
FEATURES, BACKGROUND = 7, 12
Floats = NDArray[np.float64]


class Fitted(NamedTuple):
    estimator: Any
    graph: bytes
    row: NDArray[np.float32]
    background: NDArray[np.float32]

    def game(self) -> Game:
        compiled = CompiledModel(self.graph)

        def worth(masks: NDArray[np.bool_], places: NDArray[np.intp]) -> Floats:
            mixed = np.where(masks, self.row, self.background[places])
            return compiled.run(mixed)[:, 0].astype(np.float64)

        return Game(
            differs=self.background != self.row,
            full=float(compiled.run(self.row)[0, 0]),
            empty=compiled.run(self.background)[:, 0].astype(np.float64),
            worth=worth,
        )


def fitted(estimator: Any, *, gaps: bool = False) -> Fitted:
    rng = np.random.default_rng(5)
    matrix = rng.normal(size=(400, FEATURES)).astype(np.float32)
    labels = matrix[:, 0] * matrix[:, 1] + np.abs(matrix[:, 2]) + matrix[:, 3]
    if gaps:
        matrix[rng.random(matrix.shape) < 0.1] = np.nan
    estimator.fit(matrix, labels)
    return Fitted(
        estimator, to_graph(estimator, FEATURES), matrix[:1].copy(), matrix[1 : 1 + BACKGROUND].copy()
    )


def boosted() -> GradientBoostingRegressor:
    return GradientBoostingRegressor(n_estimators=20, max_depth=4, random_state=1)


def forest() -> RandomForestRegressor:
    return RandomForestRegressor(n_estimators=10, max_depth=6, random_state=1)


@pytest.mark.parametrize("estimator", [boosted(), forest()], ids=["boosted", "forest"])
def test_trees_give_what_shaps_tree_explainer_gives(estimator: Any) -> None:
    made = fitted(estimator)
    explainer = shap.TreeExplainer(
        made.estimator, data=made.background, feature_perturbation="interventional"
    )
    found = TreeValues(made.graph, FEATURES).of(made.row, made.background)
    assert found == pytest.approx(explainer.shap_values(made.row)[0], abs=1e-6)


def test_coalitions_give_what_shaps_exact_explainer_gives() -> None:
    made = fitted(boosted())
    compiled = CompiledModel(made.graph)

    def model(rows: Any) -> Floats:
        return compiled.run(np.asarray(rows, dtype=np.float32))[:, 0].astype(np.float64)

    masker = shap.maskers.Independent(made.background, max_samples=BACKGROUND)
    theirs = shap.explainers.Exact(model, masker)(made.row).values[0]
    assert exact(made.game()).contributions == pytest.approx(theirs, abs=1e-6)


@pytest.mark.parametrize(
    "estimator",
    [
        make_pipeline(SimpleImputer(strategy="constant", fill_value=9.0), boosted()),
        make_pipeline(
            SimpleImputer(), VotingRegressor([("one", boosted()), ("two", forest())], weights=[0.7, 0.3])
        ),
    ],
    ids=["filled", "voting"],
)
def test_trees_give_what_all_coalitions_give_through_fillings_and_votes(estimator: Any) -> None:
    made = fitted(estimator, gaps=True)
    game = made.game()
    found = TreeValues(made.graph, FEATURES).of(made.row, made.background)
    assert found == pytest.approx(exact(game).contributions, abs=1e-5)


def test_permutations_are_within_their_standard_error_of_the_truth() -> None:
    game = fitted(boosted()).game()
    found = by_permutations(game, pairs=8, rng=np.random.default_rng(2))
    assert found.error is not None
    off = np.abs(found.contributions - exact(game).contributions)
    assert (off <= 4 * found.error + 1e-9).all()


def test_a_graph_without_trees_has_no_tree_values() -> None:
    made = fitted(LinearRegression())
    assert TreeValues(made.graph, FEATURES).of(made.row, made.background) is None
