"""Quick models are an honest yardstick: fitted on what ours was fitted on, without a look at what they are asked."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import Any, Self

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, RegressorMixin

from modelkit.definition import Task
from modelkit.yardstick import Peer, QuickModel, Yardstick
from tests.stage_runs import Trained as TrainedModel
from tests.stage_runs import small_params
from training.evaluation.quick_answers import HeldOut, Trained
from training.evaluation.quick_models import Comparison, compare_with_quick_models, held_out
from training.evaluation.quick_report import lines_of
from training.files import write_json
from training.fitting.cuts import evaluation_cut
from training.layout import Layout
from training.recipes import recipe_of

FEW = 10


@pytest.fixture(scope="module")
def found(trained: TrainedModel) -> Comparison:
    params = small_params(trained.definition)
    found = compare_with_quick_models(trained.definition, params, trained.layout, iterations=FEW)
    assert found is not None
    return found


def test_every_model_stands_beside_its_quick_models(trained: TrainedModel, found: Comparison) -> None:
    declared = recipe_of(trained.definition).yardstick(FEW)  # type: ignore[attr-defined]
    assert [line.name for line in found.lines] == [model.name for model in declared.models]
    assert all(math.isfinite(line.theirs) and math.isfinite(line.gain.share) for line in found.lines)
    assert len(lines_of(found)) == 1 + len(found.lines) + len(found.missing)


def test_our_figure_is_the_one_that_the_evaluation_wrote(trained: TrainedModel, found: Comparison) -> None:
    metrics = json.loads(trained.layout.metrics.read_text())
    whole = recipe_of(trained.definition).yardstick(FEW).usual_share == 1  # type: ignore[attr-defined]
    for line in found.lines if whole else ():
        kind = "cross_validation" if trained.definition.task is Task.CLASSIFICATION else "overall"
        wanted = metrics["required_only" if line.required_only else kind][found.metric]
        assert line.ours == pytest.approx(wanted, rel=1e-6)


class Recorder(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Answers the mean, and keeps what it was shown where the test can see it."""

    def __init__(self, seen: dict[str, Any] | None = None) -> None:
        self.seen = seen

    def __sklearn_clone__(self) -> Self:
        return self

    def fit(self, rows: pd.DataFrame, labels: pd.Series, sample_weight: Any = None) -> Self:
        assert self.seen is not None
        self.seen |= {"labels": labels, "weights": sample_weight}
        self.mean_ = float(labels.mean())
        return self

    def predict(self, rows: pd.DataFrame) -> np.ndarray:
        return np.full(len(rows), self.mean_)


def measured(trained: TrainedModel, yardstick: Yardstick, rows: pd.DataFrame | None = None) -> Trained:
    layout = trained.layout
    found = pd.read_parquet(layout.rows) if rows is None else rows
    return Trained(
        definition=trained.definition,
        params=small_params(trained.definition),
        layout=layout,
        yardstick=yardstick,
        rows=found,
        features=pd.read_parquet(layout.features),
    )


def test_what_a_quick_model_is_shown_holds_no_label_and_no_row_that_ours_did_not_know(
    trained: TrainedModel,
) -> None:
    if trained.definition.task is Task.CLASSIFICATION:
        return
    frames: list[pd.DataFrame] = []
    seen: dict[str, Any] = {}

    def columns(rows: pd.DataFrame) -> pd.DataFrame:
        frames.append(rows)
        return pd.DataFrame({"nothing": np.zeros(len(rows))})

    model = QuickModel(name="recorder", columns=columns, estimator=Recorder(seen))
    rows = pd.read_parquet(trained.layout.rows)
    cut = evaluation_cut(pd.read_parquet(trained.layout.features))
    HeldOut(measured(trained, Yardstick(metric="mae", models=(model,)))).answers(model)
    asked, known = frames
    assert list(asked.columns) == list(known.columns) == list(trained.definition.row.model_fields)
    assert len(asked) == (rows["split"] == "test").sum()
    pd.testing.assert_series_equal(seen["labels"], rows["label"][cut.rows])


def test_labels_that_nobody_knew_yet_change_no_answer(trained: TrainedModel) -> None:
    if trained.definition.task is Task.CLASSIFICATION:
        return
    rows = pd.read_parquet(trained.layout.rows)
    cut = evaluation_cut(pd.read_parquet(trained.layout.features))
    changed = rows.assign(label=rows["label"].where(cut.rows, rows["label"] * 3 + 7))
    yardstick = recipe_of(trained.definition).yardstick(FEW)  # type: ignore[attr-defined]
    for model in yardstick.models[-1:]:
        before = HeldOut(measured(trained, yardstick, rows)).answers(model)
        after = HeldOut(measured(trained, yardstick, changed)).answers(model)
        assert np.array_equal(before, after, equal_nan=True)


def zeros(rows: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({"nothing": np.zeros(len(rows))})


def regressor(trained: TrainedModel) -> bool:
    return trained.definition.task is Task.REGRESSION


def test_a_model_that_asks_for_too_much_is_said_to_be_missed(trained: TrainedModel) -> None:
    if not regressor(trained):
        return
    greedy = QuickModel(name="zero", columns=zeros, gain=1.0)
    generous = QuickModel(name="zero", columns=zeros, gain=-1e9)
    open_ended = QuickModel(name="zero", columns=zeros, gain=None)
    found = held_out(measured(trained, Yardstick(metric="mae", models=(greedy, generous, open_ended))))
    assert [line.reached for line in found.lines] == [False, True, True]
    verdicts = [line.split()[-1] for line in lines_of(found)[1:]]
    assert verdicts == ["MISSED", "reached", "–"]


def test_usable_rows_and_weights_are_the_recipes_choice(trained: TrainedModel) -> None:
    if not regressor(trained):
        return
    seen: dict[str, Any] = {}
    model = QuickModel(
        name="half",
        columns=zeros,
        estimator=Recorder(seen),
        usable=lambda rows: np.arange(len(rows)) % 2 == 0,
        weights=lambda rows, now: np.ones(len(rows)),
    )
    HeldOut(measured(trained, Yardstick(metric="mae", models=(model,)))).answers(model)
    known = evaluation_cut(pd.read_parquet(trained.layout.features)).rows.sum()
    assert len(seen["labels"]) == len(seen["weights"]) == math.ceil(known / 2)


def test_a_peer_is_compared_in_our_units_once_it_is_trained(trained: TrainedModel) -> None:
    if not regressor(trained):
        return
    ours = json.loads(trained.layout.metrics.read_text())["overall"]["mae"]
    peers = (Peer(model="a-peer", factor=60.0, gain=-0.1), Peer(model="nobody", factor=1.0, gain=0.0))
    peer = Layout(model="a-peer", root=trained.layout.root)
    write_json(peer.metrics, {"overall": {"mae": ours / 60 / 1.05}})
    found = held_out(measured(trained, Yardstick(metric="mae", models=(), peers=peers)))
    (line,) = found.lines
    assert line.gain.share == pytest.approx(-0.05)
    assert line.reached
    assert not dataclasses.replace(line, needed=-0.04).reached
    assert found.missing == ("nobody",)
