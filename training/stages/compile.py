"""Stage 5: the fitted pipeline as a servable, refused where it answers otherwise than the pipeline."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from modelkit.contract import GOLDEN_ROWS, make_contract
from modelkit.definition import ModelDefinition, Task
from modelkit.gates import judge
from modelkit.reference import Reference, describe
from modelkit.runtime import CompiledModel
from modelkit.servable import Card, write_servable
from training.errors import CompileRefused
from training.files import read_json, sha256_of, write_json
from training.frames import to_columns, to_requests
from training.graph import to_graph
from training.latency import measure_latency
from training.layout import Layout
from training.params import ModelParams, flat
from training.pipeline_file import load_pipeline
from training.scores import Array, outputs_of
from training.source import git_sha

PARITY = "parity.max_abs_difference"


def compile_servable(definition: ModelDefinition, params: ModelParams, layout: Layout) -> str:
    """Writes `servable/`, the graph of the evaluation model (later candidates are compared with it) and `compile.json`."""
    features, rows = pd.read_parquet(layout.features), pd.read_parquet(layout.rows)
    pipeline = load_pipeline(layout.pipeline)
    width = len(definition.feature_columns)
    graph = to_graph(pipeline, width)
    compiled = CompiledModel(graph)
    valid = (features["split"] == "valid").to_numpy()
    outputs = _run(compiled, features[valid], definition)
    parity = _parity(outputs, outputs_of(pipeline, features[valid], definition))
    parity["batch_difference"] = _batch_difference(compiled, features[valid], definition)
    found: dict[str, dict[str, float]] = {"parity": parity, "size": {"model_bytes": len(graph)}}
    _refuse_unfaithful(definition, flat(found))
    found["latency"] = measure_latency(definition, compiled)
    write_json(layout.compile_metrics, found)
    layout.evaluated_model.parent.mkdir(parents=True, exist_ok=True)
    layout.evaluated_model.write_bytes(to_graph(load_pipeline(layout.evaluated_pipeline), width))
    golden = [dict(example) for example in definition.examples]
    sample = rows[valid].sample(min(GOLDEN_ROWS - len(golden), int(valid.sum())), random_state=0)
    golden += to_requests(sample, definition.row)
    digest = write_servable(
        layout.servable,
        graph=graph,
        contract=make_contract(definition, golden, compiled),
        reference=_reference(definition, rows, outputs),
        card=_card(definition, params, layout),
    )
    difference, bytes_ = parity["max_abs_difference"], len(graph) / 1e6
    return f"{digest[:19]}, {bytes_:.1f} MB, {found['latency']['p95_ms']:.3f} ms, differs by {difference:.1g} at most"


def _run(compiled: CompiledModel, features: pd.DataFrame, definition: ModelDefinition) -> Array:
    matrix = features[list(definition.feature_columns)].to_numpy(dtype=np.float32)
    return compiled.run(np.ascontiguousarray(matrix))


def _parity(compiled: Array, pipeline: Array) -> dict[str, float]:
    difference = np.abs(compiled.astype(np.float64) - pipeline)
    return {
        "max_abs_difference": float(difference.max()),
        "mean_abs_difference": float(difference.mean()),
        "rows": len(difference),
    }


def _batch_difference(compiled: CompiledModel, features: pd.DataFrame, definition: ModelDefinition) -> float:
    """A caller must not be able to tell whether the row was computed alone, in a batch, or came from the cache."""
    together = _run(compiled, features, definition)
    alone = [_run(compiled, features[row : row + 1], definition) for row in range(len(features))]
    return float(np.abs(together - np.concatenate(alone)).max())


def _refuse_unfaithful(definition: ModelDefinition, metrics: dict[str, float]) -> None:
    gates = [gate for gate in definition.gates if gate.metric == PARITY]
    if not gates:
        raise CompileRefused(f"{definition.name} declares no gate on {PARITY}: state a tolerance")
    failed = [result for result in judge(gates, metrics) if not result.passed]
    if failed:
        raise CompileRefused(f"{definition.name} is not compiled: {failed[0].sentence()}")


def _reference(definition: ModelDefinition, rows: pd.DataFrame, valid_outputs: Array) -> Reference:
    """Counted where rows look like traffic: those with a time, where the model has time at all."""
    usual = rows[rows["split"] != "test"]
    usual = usual[usual["time"].notna()] if usual["time"].notna().any() else usual
    columns = to_columns(usual, definition.row)
    if definition.task is Task.REGRESSION:
        prediction = valid_outputs[:, 0]
    else:
        prediction = np.asarray(definition.classes, dtype=object)[valid_outputs.argmax(axis=1)]
    return Reference(
        rows=len(usual),
        columns={name: describe(columns[name]) for name in definition.drift_columns},
        prediction=describe(prediction),
    )


def _card(definition: ModelDefinition, params: ModelParams, layout: Layout) -> Card:
    facts: dict[str, Any] = read_json(layout.training_facts)
    return Card(
        model=definition.name,
        metrics=flat(read_json(layout.metrics))
        | flat(read_json(layout.slices))
        | flat(read_json(layout.compile_metrics)),
        params=flat({"prepare": params.prepare, "train": params.train}),
        git_sha=git_sha(),
        data_hash=f"sha256:{sha256_of(layout.rows)}",
        trained_at=facts["trained_at"],
        training_seconds=facts["seconds"],
        rows=read_json(layout.report)["split"],
        trained_until=facts["trained_until"],
    )
