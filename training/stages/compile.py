"""Stage 5: the fitted pipeline as a servable, refused where it answers otherwise than the pipeline."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pandas as pd

from modelkit.contract import GOLDEN_ROWS, make_contract
from modelkit.definition import ModelDefinition, Task
from modelkit.reference import BACKGROUND_ROWS, Reference, describe
from modelkit.runtime import CompiledModel
from modelkit.servable import Card, write_servable
from training.compiling.graph import to_graph
from training.compiling.latency import measure_latency
from training.compiling.parity import Source, measure, refuse_unfaithful, run
from training.evaluation.scores import Array
from training.files import read_json, sha256_of, write_json
from training.fitting.intervals import read_intervals
from training.fitting.pipeline_file import load_pipeline
from training.frames import to_columns, to_requests
from training.layout import Layout
from training.params import ModelParams, flat
from training.source import git_sha


def compile_servable(definition: ModelDefinition, params: ModelParams, layout: Layout) -> str:
    """Writes `servable/`, the graph of the evaluation model (later candidates are compared with it) and `compile.json`."""
    features, rows = pd.read_parquet(layout.features), pd.read_parquet(layout.rows)
    valid = (features["split"] == "valid").to_numpy()
    source = Source(
        definition=definition,
        pipeline=load_pipeline(layout.pipeline),
        intervals=read_intervals(layout.intervals),
    )
    graph = _graph(source)
    compiled = CompiledModel(graph)
    parity = measure(compiled, source, features[valid])
    found: dict[str, dict[str, float]] = {"parity": parity, "size": {"model_bytes": len(graph)}}
    refuse_unfaithful(definition, flat(found))
    golden = _golden(definition, rows[valid])
    found["latency"] = measure_latency(definition, compiled, golden[: len(definition.examples)])
    write_json(layout.compile_metrics, found)
    _write_evaluated(source, layout)
    digest = write_servable(
        layout.servable,
        graph=graph,
        contract=make_contract(definition, golden, compiled),
        reference=_reference(definition, rows, run(compiled, definition, features[valid])),
        card=_card(definition, params, layout),
    )
    difference, bytes_ = parity["max_abs_difference"], len(graph) / 1e6
    return f"{digest[:19]}, {bytes_:.1f} MB, {found['latency']['p95_ms']:.3f} ms, differs by {difference:.1g} at most"


def _graph(source: Source) -> bytes:
    definition = source.definition
    width = len(definition.feature_columns)
    return to_graph(source.pipeline, width, intervals=source.intervals, least=definition.least)


def _write_evaluated(source: Source, layout: Layout) -> None:
    evaluated = dataclasses.replace(source, pipeline=load_pipeline(layout.evaluated_pipeline))
    layout.evaluated_model.write_bytes(_graph(evaluated))


def _golden(definition: ModelDefinition, valid: pd.DataFrame) -> list[dict[str, Any]]:
    """The examples where they are whole rows, and rows that look like traffic."""
    examples = [] if definition.view else [dict(example) for example in definition.examples]
    sample = valid.sample(min(GOLDEN_ROWS - len(examples), len(valid)), random_state=0)
    return examples + to_requests(sample, definition.row)


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
        background=to_requests(
            usual.sample(min(BACKGROUND_ROWS, len(usual)), random_state=0), definition.row
        ),
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
        trained_rows=facts["rows"],
    )
