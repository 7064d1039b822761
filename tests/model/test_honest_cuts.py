"""Nothing whose label was not known at a moment may train a model that is fitted at that moment."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from modelkit.definition import ModelDefinition, Task, load_catalog
from tests.stage_runs import small_params
from training.data.raw_data import write_raw
from training.evaluation.scores import outputs_of
from training.fitting.calibration import held_out
from training.fitting.cuts import Cut, calibration_cut, evaluation_cut, final_cut
from training.fitting.fit import fit
from training.layout import Layout
from training.stages.featurize import featurize
from training.stages.prepare import prepare


@dataclasses.dataclass(frozen=True)
class Featured:
    definition: ModelDefinition
    frame: pd.DataFrame


@pytest.fixture(scope="module", params=load_catalog().values(), ids=lambda definition: definition.name)
def featured(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Featured:
    definition: ModelDefinition = request.param
    return featured_of(definition, tmp_path_factory.mktemp(definition.package))


def featured_of(definition: ModelDefinition, root: Path) -> Featured:
    layout = Layout(model=definition.name, root=root)
    write_raw(definition, layout, source=None)
    prepare(definition, small_params(definition), layout)
    featurize(definition, small_params(definition), layout)
    return Featured(definition, pd.read_parquet(layout.features))


def with_other_labels(featured: Featured, unknown: np.ndarray) -> pd.DataFrame:
    """The same rows, but what nobody knew yet turned out otherwise."""
    labels = featured.frame["label"].copy()
    if featured.definition.task is Task.REGRESSION:
        labels[unknown] = labels[unknown] * 3 + 7
    else:
        classes = featured.definition.classes
        labels[unknown] = labels[unknown].map(dict(zip(classes, classes[1:] + classes[:1], strict=True)))
    return featured.frame.assign(label=labels)


def test_labels_that_were_unknown_at_the_cut_change_nothing_in_the_evaluation_model(
    featured: Featured,
) -> None:
    definition, knobs = featured.definition, small_params(featured.definition).train
    cut = evaluation_cut(featured.frame)
    unknown = (featured.frame["split"] != "train").to_numpy()
    if cut.now is not None:
        unknown = unknown | (featured.frame["known_at"] >= cut.now).to_numpy()
    changed = with_other_labels(featured, unknown)
    assert not changed["label"].equals(featured.frame["label"])
    answers = [
        outputs_of(fit(definition, knobs, frame, evaluation_cut(frame)).estimator, frame, definition)
        for frame in (featured.frame, changed)
    ]
    before, after = answers
    assert np.array_equal(before, after)


def test_labels_that_were_unknown_when_the_test_split_began_change_no_bounds(tmp_path: Path) -> None:
    """Of a model whose bounds are calibrated at several moments, and whose labels come late."""
    featured = featured_of(load_catalog()["olist-delivery"], tmp_path)
    knobs = small_params(featured.definition).train
    assert knobs["origins"] > 1
    begin = featured.frame.loc[featured.frame["split"] == "test", "time"].min()
    changed = with_other_labels(featured, (featured.frame["known_at"] >= begin).to_numpy())
    assert not changed["label"].equals(featured.frame["label"])
    before, after = (
        held_out(
            featured.definition,
            knobs,
            frame,
            fit(featured.definition, knobs, frame, evaluation_cut(frame)).estimator,
        )
        for frame in (featured.frame, changed)
    )
    for name in ("features", "predictions", "labels", "weights", "origins"):
        assert np.array_equal(getattr(before, name), getattr(after, name), equal_nan=True)


def test_what_is_judged_on_a_split_was_never_seen_by_the_model(featured: Featured) -> None:
    split = featured.frame["split"]
    assert set(split[evaluation_cut(featured.frame).rows]) == {"train"}
    assert set(split[calibration_cut(featured.frame).rows]) == {"valid"}


def test_the_final_model_learns_from_every_split(featured: Featured) -> None:
    assert set(featured.frame["split"][final_cut(featured.frame).rows]) == {"train", "valid", "test"}


def moments(*days: int | None) -> pd.Series:
    dates = [pd.NaT if day is None else pd.Timestamp(2024, 1, day) for day in days]
    return pd.Series(dates, dtype="datetime64[s]")


FRAME = pd.DataFrame(
    {
        "split": ["train", "train", "train", "valid", "valid", "test", "test"],
        "time": moments(None, 1, 2, 10, 12, 20, 22),
        # The second row is of day 1, but its label became known while the valid split was under way.
        "known_at": moments(None, 11, 3, 15, 21, 22, 30),
    }
)


def chosen(cut: Cut) -> list[int]:
    return np.flatnonzero(cut.rows).tolist()


def test_a_label_that_became_known_after_the_cut_is_left_out() -> None:
    assert chosen(evaluation_cut(FRAME)) == [0, 2]
    assert chosen(calibration_cut(FRAME)) == [3]
    assert chosen(final_cut(FRAME)) == [0, 1, 2, 3, 4, 5]


def test_the_moment_of_a_cut_is_when_the_later_split_begins_or_the_data_ends() -> None:
    cuts = (evaluation_cut(FRAME), calibration_cut(FRAME), final_cut(FRAME))
    assert [cut.now for cut in cuts] == [pd.Timestamp(2024, 1, day) for day in (10, 20, 22)]


def test_without_time_the_splits_alone_decide() -> None:
    timeless = FRAME.assign(time=moments(*[None] * 7), known_at=moments(*[None] * 7))
    assert chosen(evaluation_cut(timeless)) == [0, 1, 2]
    assert chosen(calibration_cut(timeless)) == [3, 4]
    assert chosen(final_cut(timeless)) == list(range(7))
    assert final_cut(timeless).now is None
