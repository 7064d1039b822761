"""Steps that hold other steps: what surrounds a model in a pipeline."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import StackingRegressor, VotingRegressor
from sklearn.pipeline import FeatureUnion, Pipeline

from training.compiling.graph.assembly import Assembly, Tensor
from training.compiling.graph.preprocessing import add_inverse
from training.compiling.graph.refusal import refuse_unless


def add_pipeline(assembly: Assembly, pipeline: Pipeline, source: Tensor) -> Tensor:
    for _, step in pipeline.steps:
        if step is not None and step != "passthrough":
            source = assembly.add(step, source)
    return source


def add_columns(assembly: Assembly, transformer: ColumnTransformer, source: Tensor) -> Tensor:
    """Each transformer on its own columns, side by side in the order in which scikit-learn stacks them."""
    places = transformer._transformer_to_input_indices
    parts = []
    for name, step, _ in transformer.transformers_:
        if (isinstance(step, str) and step == "drop") or not len(places[name]):
            continue
        chosen = assembly.gather(source, [int(place) for place in places[name]])
        parts.append(chosen if isinstance(step, str) else assembly.add(step, chosen))
    refuse_unless(bool(parts), transformer, "it keeps no column")
    return assembly.concat(parts)


def add_union(assembly: Assembly, union: FeatureUnion, source: Tensor) -> Tensor:
    refuse_unless(not union.transformer_weights, union, "transformer weights are not compiled")
    steps = [step for _, step in union.transformer_list if step != "drop"]
    return assembly.concat(
        [source if isinstance(step, str) else assembly.add(step, source) for step in steps]
    )


def add_stack(assembly: Assembly, stack: StackingRegressor, source: Tensor) -> Tensor:
    """The answers of the members, then the features where they are passed through, into the final model."""
    answers = [assembly.add(member, source) for member in stack.estimators_]
    return assembly.add(
        stack.final_estimator_, assembly.concat([*answers, *([source] if stack.passthrough else [])])
    )


def add_vote(assembly: Assembly, vote: VotingRegressor, source: Tensor) -> Tensor:
    """The weighted mean, summed member by member as numpy's `average` does."""
    weights = np.asarray(vote._weights_not_none or [1.0] * len(vote.estimators_), dtype=np.float64)
    total = ""
    for member, weight in zip(vote.estimators_, weights, strict=True):
        answer = assembly.to_double(assembly.add(member, source)).name
        part = assembly.op("Mul", [answer, assembly.constant(weight, np.float64)])
        total = assembly.op("Add", [total, part]) if total else part
    mean = assembly.op("Div", [total, assembly.constant(weights.sum(), np.float64)])
    return Tensor(mean, 1, double=True)


def add_transformed_target(assembly: Assembly, model: TransformedTargetRegressor, source: Tensor) -> Tensor:
    """The model's answer through the inverse of what its target went through."""
    return add_inverse(assembly, model.transformer_, assembly.add(model.regressor_, source))


CONVERTERS: dict[type, Any] = {
    Pipeline: add_pipeline,
    ColumnTransformer: add_columns,
    FeatureUnion: add_union,
    StackingRegressor: add_stack,
    VotingRegressor: add_vote,
    TransformedTargetRegressor: add_transformed_target,
}
