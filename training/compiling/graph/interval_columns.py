"""The bounds of a prediction as two more columns of the same graph, so that serving makes one call."""

from __future__ import annotations

import numpy as np

from training.compiling.graph.assembly import Assembly, Tensor
from training.fitting.intervals import Intervals


def at_least(assembly: Assembly, prediction: Tensor, least: float | None) -> Tensor:
    """A prediction that is not below what an answer can be."""
    if least is None:
        return prediction
    name = assembly.op("Max", [assembly.to_float(prediction).name, assembly.constant(least)])
    return Tensor(name, prediction.width)


def add_intervals(assembly: Assembly, prediction: Tensor, intervals: Intervals) -> Tensor:
    """(prediction, lower, upper): the size of the error times nought and the two factors."""
    inputs = assembly.concat([assembly.features, assembly.to_float(prediction)])
    size = assembly.op("Exp", [assembly.add(intervals.scale, inputs).name])
    factors = np.array([[0.0, -intervals.lower, intervals.upper]])
    steps = assembly.op("Mul", [size, assembly.constant(factors)])
    name = assembly.op("Add", [assembly.to_float(prediction).name, steps])
    return at_least(assembly, Tensor(name, 3), intervals.least)
