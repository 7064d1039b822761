"""One ONNX graph out of a fitted pipeline, because serving neither unpickles nor imports what trained it.

Every kind of step has a small function `(assembly, step, source) -> Tensor` that writes the step's nodes; the tables
`CONVERTERS` of the modules here say which function is whose. A new kind of step is one function and one line in a table.

Two rules hold throughout, and `tests/unit/test_training_graph*.py` check them for every kind:
- A row answers the same bits alone and in any batch. Elementwise operations and trees keep that; matrix products,
  `ReduceSum`, `Log`, and `Exp` in double precision do not (decision 0006).
- What scikit-learn computes in double precision before a tree compares it, the graph does too: a threshold is a cliff.
"""

from __future__ import annotations

from typing import Any

from training.compiling.graph import catboost_export, categories, composition, linear, preprocessing, trees
from training.compiling.graph.assembly import Assembly, Converter, Tensor
from training.compiling.graph.exported import add_exported
from training.compiling.graph.interval_columns import add_intervals, at_least
from training.fitting.intervals import Intervals

__all__ = ["Assembly", "Tensor", "new_assembly", "to_graph"]

CONVERTERS: dict[type, Converter] = {
    **composition.CONVERTERS,
    **preprocessing.CONVERTERS,
    **categories.CONVERTERS,
    **linear.CONVERTERS,
    **trees.CONVERTERS,
    **catboost_export.CONVERTERS,
}


def new_assembly(width: int) -> Assembly:
    """An empty graph over `width` features that knows every kind of step."""
    return Assembly(width, converters=CONVERTERS, fallback=add_exported)


def to_graph(
    pipeline: Any, width: int, *, intervals: Intervals | None = None, least: float | None = None
) -> bytes:
    """The graph of a fitted estimator over `width` features: float32 (rows, width) in, float32 (rows, outputs) out.

    With intervals a regressor gives three columns: prediction, lower and upper bound. No answer is below `least`.
    Raises CompileRefused, naming the type, for a step that no graph can be made of.
    """
    assembly = new_assembly(width)
    answer = at_least(assembly, assembly.add(pipeline, assembly.features), least)
    return assembly.finish(answer if intervals is None else add_intervals(assembly, answer, intervals))
