"""Linear models as products and sums along a row: ONNX's own multiply matrices, whose last bits depend on the batch."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import linear_model
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from training.compiling.graph.assembly import Assembly, Tensor
from training.compiling.graph.refusal import refuse_unless


def add_linear(assembly: Assembly, model: Any, source: Tensor) -> Tensor:
    refuse_unless(np.ndim(model.coef_) == 1 or len(model.coef_) == 1, model, "it has several targets")
    scores = row_products(
        assembly, source, np.reshape(model.coef_, (1, -1)), np.reshape(model.intercept_, -1)
    )
    return Tensor(scores, 1, double=True)


def add_log_linear(assembly: Assembly, model: Any, source: Tensor) -> Tensor:
    """A generalised linear model with a logarithmic link."""
    refuse_unless(getattr(model, "link", "log") in ("log", "auto"), model, "only a log link is compiled")
    return Tensor(assembly.op("Exp", [assembly.to_float(add_linear(assembly, model, source)).name]), 1)


def add_linear_classifier(assembly: Assembly, model: Any, source: Tensor) -> Tensor:
    name = row_products(assembly, source, model.coef_, model.intercept_)
    return probabilities(assembly, Tensor(name, len(model.coef_), double=True))


def probabilities(assembly: Assembly, scores: Tensor) -> Tensor:
    """A probability per class: of two classes only the second has a score."""
    scores = assembly.to_float(scores)
    if scores.width > 1:
        return Tensor(assembly.op("Softmax", [scores.name], axis=1), scores.width)
    second = assembly.op("Sigmoid", [scores.name])
    first = assembly.op("Sigmoid", [assembly.op("Neg", [scores.name])])
    return Tensor(assembly.op("Concat", [first, second], axis=1), 2)


def row_products(assembly: Assembly, source: Tensor, weights: NDArray[Any], intercept: NDArray[Any]) -> str:
    """`source @ weights.T + intercept` in double precision, (rows, len(weights)).

    Summed by adding halves: an addition of two numbers is the same bits on any machine and in any batch, while
    `ReduceSum` adds in an order that depends on where a row begins in memory.
    """
    width = 1 << max(source.width - 1, 0).bit_length()
    padding = width - source.width
    padded = np.pad(np.asarray(weights, dtype=np.float64), ((0, 0), (0, padding)))
    name = assembly.to_double(source).name
    if padding:
        name = assembly.op("Pad", [name, assembly.constant([0, 0, 0, padding], np.int64)])
    name = assembly.op("Unsqueeze", [name, assembly.constant([1], np.int64)])
    name = assembly.op("Mul", [name, assembly.constant(padded[np.newaxis], np.float64)])
    while width > 1:
        width //= 2
        halves = assembly.ops("Split", [name, assembly.constant([width, width], np.int64)], 2, axis=2)
        name = assembly.op("Add", halves)
    name = assembly.op("Squeeze", [name, assembly.constant([2], np.int64)])
    return assembly.op("Add", [name, assembly.constant(intercept, np.float64)])


LINEAR = (
    linear_model.ARDRegression,
    linear_model.BayesianRidge,
    linear_model.ElasticNet,
    linear_model.ElasticNetCV,
    linear_model.HuberRegressor,
    linear_model.Lars,
    linear_model.Lasso,
    linear_model.LassoCV,
    linear_model.LassoLars,
    linear_model.LassoLarsCV,
    linear_model.LinearRegression,
    linear_model.QuantileRegressor,
    linear_model.Ridge,
    linear_model.RidgeCV,
    linear_model.SGDRegressor,
    linear_model.TheilSenRegressor,
)
LOG_LINEAR = (linear_model.GammaRegressor, linear_model.PoissonRegressor)
CLASSIFIERS = (linear_model.LogisticRegression, linear_model.LogisticRegressionCV, LinearDiscriminantAnalysis)

CONVERTERS: dict[type, Any] = {
    **dict.fromkeys(LINEAR, add_linear),
    **dict.fromkeys(LOG_LINEAR, add_log_linear),
    **dict.fromkeys(CLASSIFIERS, add_linear_classifier),
}
