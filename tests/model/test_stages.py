"""What the five stages leave behind, for every model of the catalog."""

from __future__ import annotations

import dataclasses
import json

import msgspec
import numpy as np
import pandas as pd
import pytest

from modelkit.columns import feature_matrix
from modelkit.definition import Task
from modelkit.gates import Gate
from modelkit.rows import RowReader
from modelkit.runtime import CompiledModel
from tests.stage_runs import Trained, small_params
from training.errors import CompileRefused
from training.evaluation.scores import main_metric
from training.frames import to_requests
from training.layout import Layout
from training.params import flat
from training.stages.compile import compile_servable
from training.stages.train import train


def answers(
    trained: Trained, requests: list[dict[str, object]], compiled: CompiledModel | None = None
) -> np.ndarray:
    reader = RowReader(trained.definition.row)
    columns = reader.columns([reader.from_object(request) for request in requests])
    matrix = feature_matrix(trained.definition.build(columns), trained.definition.feature_columns)
    return (compiled or trained.servable.compiled).run(matrix)


def test_requests_get_the_answers_that_the_judged_pipeline_gave_their_test_rows(trained: Trained) -> None:
    rows = pd.read_parquet(trained.layout.test_rows)
    judged = CompiledModel.load(trained.layout.evaluated_model)
    served = answers(trained, to_requests(rows, trained.definition.row), judged)
    metrics = json.loads(trained.layout.metrics.read_text())
    if trained.definition.task is Task.REGRESSION:
        error = np.abs(served[:, 0] - rows["label"]).mean()
        assert error == pytest.approx(metrics["overall"]["mae"], abs=1e-4)
    else:
        chosen = np.asarray(trained.definition.classes)[served.argmax(axis=1)]
        assert (chosen == rows["label"]).mean() == pytest.approx(metrics["overall"]["accuracy"])


def test_a_batch_answers_bit_for_bit_what_its_rows_answer_alone(trained: Trained) -> None:
    requests = to_requests(pd.read_parquet(trained.layout.test_rows).head(40), trained.definition.row)
    together = answers(trained, requests)
    alone = np.concatenate([answers(trained, [request]) for request in requests])
    assert np.array_equal(together, alone)


def test_every_golden_row_is_answered(trained: Trained) -> None:
    """By a probability per class, or by a prediction with its bounds. The examples are among them if they are whole rows."""
    golden = trained.servable.contract.golden_rows
    if trained.definition.view is None:
        assert golden[: len(trained.definition.examples)] == [
            dict(row) for row in trained.definition.examples
        ]
    outputs = answers(trained, golden)
    assert outputs.shape == (len(golden), len(trained.definition.classes) or 3)
    assert np.isfinite(outputs).all()


def test_a_prediction_lies_between_its_bounds_and_none_lies_below_the_least(trained: Trained) -> None:
    rows = pd.read_parquet(trained.layout.test_rows)
    outputs = answers(trained, to_requests(rows, trained.definition.row))
    if trained.definition.task is Task.REGRESSION:
        prediction, lower, upper = outputs.T
        assert (lower <= prediction).all()
        assert (prediction <= upper).all()
        assert lower.min() >= (-np.inf if trained.definition.least is None else trained.definition.least)


def test_about_the_stated_share_of_held_out_truths_lies_within_bounds(trained: Trained) -> None:
    rows = pd.read_parquet(trained.layout.test_rows)
    judged = CompiledModel.load(trained.layout.evaluated_model)
    outputs = answers(trained, to_requests(rows, trained.definition.row), judged)
    if trained.definition.task is Task.REGRESSION:
        inside = (outputs[:, 1] <= rows["label"]) & (rows["label"] <= outputs[:, 2])
        assert inside.mean() == pytest.approx(trained.definition.interval_coverage, abs=0.07)


def test_the_model_is_worth_more_than_a_constant(trained: Trained) -> None:
    metrics = json.loads(trained.layout.metrics.read_text())
    main = main_metric(trained.definition)
    ours, constant = metrics["overall"][main], metrics["baseline"]["constant"][main]
    assert ours < constant if trained.definition.task is Task.REGRESSION else ours > constant


def test_the_card_carries_every_metric_that_a_gate_reads(trained: Trained) -> None:
    assert {gate.metric for gate in trained.definition.gates} <= set(trained.servable.card.metrics)


def test_the_card_carries_every_slice(trained: Trained) -> None:
    slices = flat(json.loads(trained.layout.slices.read_text()))
    assert slices
    assert slices.items() <= trained.servable.card.metrics.items()


def test_the_reference_describes_the_drift_columns_and_the_prediction(trained: Trained) -> None:
    reference = trained.servable.reference
    assert set(reference.columns) == set(trained.definition.drift_columns)
    assert sum(reference.prediction.shares) == pytest.approx(1)


def test_an_unfaithful_compilation_is_refused(trained: Trained) -> None:
    impossible = Gate(name="compile parity", metric="parity.max_abs_difference", at_most=-1.0)
    strict = dataclasses.replace(trained.definition, gates=(impossible,))
    before = (trained.layout.servable / "manifest.json").read_bytes()
    with pytest.raises(CompileRefused, match="FAILED by"):
        compile_servable(strict, small_params(strict), trained.layout)
    assert (trained.layout.servable / "manifest.json").read_bytes() == before


def test_a_model_without_a_stated_tolerance_is_not_compiled(trained: Trained) -> None:
    open_ended = dataclasses.replace(trained.definition, gates=())
    with pytest.raises(CompileRefused, match="state a tolerance"):
        compile_servable(open_ended, small_params(open_ended), trained.layout)


def test_training_again_gives_the_same_model(
    trained: Trained, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("again")
    again = Layout(model=trained.definition.name, root=root)
    for path in (again.features, again.rows):
        path.parent.mkdir(parents=True, exist_ok=True)
    again.features.write_bytes(trained.layout.features.read_bytes())
    again.rows.write_bytes(trained.layout.rows.read_bytes())
    for name in ("report", "metrics", "slices"):
        target = getattr(again, name)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(getattr(trained.layout, name).read_bytes())
    params = small_params(trained.definition)
    train(trained.definition, params, again)
    compile_servable(trained.definition, params, again)
    files = [layout.servable / "model.onnx" for layout in (trained.layout, again)]
    assert files[0].read_bytes() == files[1].read_bytes()
    contracts = [
        msgspec.json.decode((layout.servable / "contract.json").read_bytes())
        for layout in (trained.layout, again)
    ]
    assert contracts[0] == contracts[1]
