"""A CatBoost model with categories as the same model over numbers, because only the latter exports to ONNX.

CatBoost's ONNX export refuses categorical features. A category with few values is split one-hot, as `zone == north`;
over a column of zeros and ones that is `zone=north > 0.5`. Rewriting those splits gives a model that answers exactly as the
original does, so that Slipway's compiled model and the peers' native one are one and the same.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

import onnx
from catboost import CatBoostRegressor, Pool

from modelkit.runtime import INPUT_NAME, OUTPUT_NAME


def compile_native(model: CatBoostRegressor, pool: Pool, columns: Sequence[str]) -> bytes:
    """The ONNX graph of a native model. `columns` are its numbers, then a `name=value` per category."""
    with tempfile.TemporaryDirectory() as scratch:
        rewritten, graph = Path(scratch) / "numeric.json", Path(scratch) / "model.onnx"
        rewritten.write_text(json.dumps(numeric_tree_model(model, pool, columns)))
        numeric = CatBoostRegressor()
        numeric.load_model(str(rewritten), format="json")
        numeric.save_model(str(graph), format="onnx")
        return named_graph(graph.read_bytes())


def numeric_tree_model(model: CatBoostRegressor, pool: Pool, columns: Sequence[str]) -> dict[str, Any]:
    """CatBoost's JSON form of the model, every one-hot split rewritten over an indicator column."""
    with tempfile.TemporaryDirectory() as scratch:
        native, source = Path(scratch) / "native.json", Path(scratch) / "native.py"
        model.save_model(str(native), format="json")
        model.save_model(str(source), format="python", pool=pool)
        document: dict[str, Any] = json.loads(native.read_text())
        names = category_names(source.read_text())
    info = document["features_info"]
    indicators = {
        (category["feature_index"], value): columns.index(f"{category['feature_id']}={names[value]}")
        for category in info.pop("categorical_features")
        for value in category["values"]
    }
    info["float_features"] = _numeric_features(info["float_features"], columns)
    starts = [0, *accumulate(len(feature["borders"]) for feature in info["float_features"])]
    for tree in document["oblivious_trees"]:
        tree["splits"] = [_numeric_split(split, indicators, starts) for split in tree["splits"]]
    return document


def category_names(source: str) -> dict[int, str]:
    """Category by hash, from CatBoost's export as Python code: the only form that tells them."""
    start = source.rindex("cat_features_hashes = {")
    table = source[start : source.index("}", start)]
    return {int(value): name for name, value in re.findall(r'"([^"]+)":\s*(-?\d+)', table)}


def named_graph(graph: bytes) -> bytes:
    """The graph with the input and output that `modelkit.runtime` expects."""
    document = onnx.load_from_string(graph)
    renamed = {document.graph.input[0].name: INPUT_NAME, document.graph.output[0].name: OUTPUT_NAME}
    for node in document.graph.node:
        node.input[:] = [renamed.get(name, name) for name in node.input]
        node.output[:] = [renamed.get(name, name) for name in node.output]
    document.graph.input[0].name = INPUT_NAME
    shape = onnx.helper.make_tensor_value_info(OUTPUT_NAME, onnx.TensorProto.FLOAT, ["N", 1])
    document.graph.output[0].CopyFrom(shape)
    content: bytes = document.SerializeToString()
    return content


def _numeric_features(known: list[dict[str, Any]], columns: Sequence[str]) -> list[dict[str, Any]]:
    added = [
        {
            "borders": [0.5],
            "feature_index": index,
            "flat_feature_index": index,
            "feature_id": columns[index],
            "has_nans": False,
            "nan_value_treatment": "AsIs",
        }
        for index in range(len(known), len(columns))
    ]
    return [{**feature, "borders": feature.get("borders") or []} for feature in known] + added


def _numeric_split(
    split: dict[str, Any], indicators: dict[tuple[int, int], int], starts: Sequence[int]
) -> dict[str, Any]:
    if split["split_type"] == "FloatFeature":
        return split
    index = indicators[split["cat_feature_index"], split["value"]]
    return {
        "border": 0.5,
        "float_feature_index": index,
        "split_index": starts[index],
        "split_type": "FloatFeature",
    }
