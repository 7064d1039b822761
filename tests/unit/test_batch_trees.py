"""Trees in compiled loops give the bits that ONNX Runtime gives; where they would not, ONNX Runtime answers."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import onnx
import pytest
from catboost import CatBoostRegressor
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn.ensemble import (
    GradientBoostingRegressor,
    HistGradientBoostingRegressor,
    RandomForestRegressor,
    StackingRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeRegressor

from catalog.food_delivery.definition import DEFINITION
from catalog.iris.definition import DEFINITION as IRIS
from modelkit.runtime import INPUT_NAME, CompiledModel
from modelkit.tree_nodes import read_nodes
from tests.tiny_servables import tiny_graph
from training.batch.tree_loops import BLOCK_ROWS
from training.batch.wide import WideModel
from training.compiling.graph import new_assembly, to_graph

FEATURES, ROWS = 5, 3 * BLOCK_ROWS + 7


def catboost(**knobs: Any) -> CatBoostRegressor:
    usual = {"iterations": 60, "depth": 6, "random_seed": 1, "thread_count": 1, "verbose": 0}
    return CatBoostRegressor(**{**usual, **knobs, "allow_writing_files": False})


def material() -> tuple[Any, Any]:
    random = np.random.default_rng(5)
    matrix = random.normal(size=(800, FEATURES)).astype(np.float32).round(1)
    matrix[random.random(matrix.shape) < 0.05] = np.nan
    target = np.nan_to_num(matrix) @ np.arange(1, FEATURES + 1) + np.nan_to_num(matrix[:, 0]) ** 2
    return matrix, target + random.normal(size=len(matrix))


def rows() -> Any:
    random = np.random.default_rng(6)
    matrix = random.normal(size=(ROWS, FEATURES)).astype(np.float32).round(1)
    matrix[random.random(matrix.shape) < 0.05] = np.nan
    return matrix


ESTIMATORS = {
    "catboost": catboost(),
    "shallow": catboost(depth=1, iterations=3),
    "deep": catboost(depth=10, iterations=6),
    "many trees": catboost(depth=2, iterations=700),
    "forest": RandomForestRegressor(12, max_leaf_nodes=60, random_state=0),
    "boosted": GradientBoostingRegressor(n_estimators=30, random_state=0),
    "boosted, with gaps": HistGradientBoostingRegressor(max_iter=5, random_state=0),
    "constant": DecisionTreeRegressor(max_depth=1, min_samples_leaf=500),
    "imputed": make_pipeline(SimpleImputer(strategy="constant", fill_value=-1.0), catboost()),
    "stack": make_pipeline(
        SimpleImputer(strategy="median"),
        StackingRegressor(
            [("cat", catboost()), ("forest", RandomForestRegressor(5, max_leaf_nodes=30, random_state=0))],
            final_estimator=GradientBoostingRegressor(n_estimators=10, random_state=0),
            cv=2,
        ),
    ),
}


@pytest.mark.parametrize("name", ESTIMATORS)
def test_answers_are_the_bits_of_the_served_graph(name: str) -> None:
    matrix, target = material()
    if name == "boosted":  # the one that knows no gaps
        matrix = np.nan_to_num(matrix)
    graph = to_graph(ESTIMATORS[name].fit(matrix, target), FEATURES)
    compiled = CompiledModel(graph)
    model = WideModel(compiled, graph)
    assert model.is_wide
    matrix = rows()
    expected = compiled.run(matrix)
    for size in (1, 2, 15, 16, 17, BLOCK_ROWS - 1, BLOCK_ROWS, BLOCK_ROWS + 1, ROWS):
        assert model.run(matrix[:size].T).tobytes() == expected[:size].tobytes()
    assert compiled.run(matrix[:1]).tobytes() == expected[:1].tobytes()


def test_trees_that_need_the_answer_of_other_trees_come_after_them() -> None:
    """As the size of the error does, from which intervals are made."""
    matrix, target = material()
    first = catboost().fit(matrix, target)
    second = catboost(iterations=20).fit(np.column_stack([matrix, first.predict(matrix)]), np.abs(target))
    graph = _chained(first, second)
    compiled = CompiledModel(graph)
    model = WideModel(compiled, graph)
    assert model.is_wide
    assert model.run(rows().T).tobytes() == compiled.run(rows()).tobytes()


@settings(max_examples=60, deadline=None)
@given(
    arrays.arrays(np.float32, st.tuples(st.integers(1, 40), st.just(FEATURES)), elements=st.floats(width=32))
)
def test_no_value_of_a_feature_makes_a_difference(matrix: Any) -> None:
    _, compiled, model = _fitted()
    assert model.run(matrix.T).tobytes() == compiled.run(matrix).tobytes()


@pytest.mark.parametrize("definition", [DEFINITION, IRIS], ids=lambda each: each.name)
def test_a_graph_without_trees_is_left_to_onnx_runtime(definition: Any) -> None:
    graph = tiny_graph(definition)
    compiled = CompiledModel(graph)
    matrix = np.ones((3, len(definition.feature_columns)), dtype=np.float32)
    model = WideModel(compiled, graph)
    assert not model.is_wide
    assert model.run(matrix.T).tobytes() == compiled.run(matrix).tobytes()


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("post_transform", "LOGISTIC"),
        ("aggregate_function", "MAX"),
        ("nodes_modes", ["BRANCH_EQ"]),
        ("nodes_values", [float("nan")]),
        ("nodes_truenodeids", [0]),
        ("nodes_falsenodeids", [1_000_000]),
        ("nodes_treeids", [1]),
        ("nodes_nodeids", [1]),
        ("target_ids", [1]),
        ("target_nodeids", [0]),
        ("target_treeids", [1_000_000]),
        ("base_values", [0.0, 0.0]),
    ],
)
def test_trees_of_another_meaning_are_not_read(attribute: str, value: Any) -> None:
    graph, _, _ = _fitted()
    node = next(item for item in onnx.load_from_string(graph).graph.node if item.op_type.startswith("Tree"))
    assert read_nodes(node) is not None
    found = {item.name: onnx.helper.get_attribute_value(item) for item in node.attribute}
    found[attribute] = value if isinstance(value, str) else [*value, *found[attribute][len(value) :]]
    changed = onnx.helper.make_node(node.op_type, node.input, node.output, domain=node.domain, **found)
    assert read_nodes(changed) is None


def test_a_graph_that_answers_otherwise_is_not_taken_apart() -> None:
    """Two graphs stand for a runtime that adds in another order than these loops do."""
    _, compiled, _ = _fitted()
    other = to_graph(catboost(iterations=61).fit(*material()), FEATURES)
    model = WideModel(compiled, other)
    assert not model.is_wide
    assert model.run(rows().T).tobytes() == compiled.run(rows()).tobytes()


@cache
def _fitted() -> tuple[bytes, CompiledModel, WideModel]:
    graph = to_graph(catboost().fit(*material()), FEATURES)
    compiled = CompiledModel(graph)
    return graph, compiled, WideModel(compiled, graph)


def _chained(first: Any, second: Any) -> bytes:
    assembly = new_assembly(FEATURES)
    prediction = assembly.add(first, assembly.features)
    assert assembly.features.name == INPUT_NAME
    return assembly.finish(assembly.add(second, assembly.concat([assembly.features, prediction])))
