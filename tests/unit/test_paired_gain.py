"""A gain is a part of the error, and its band says what chance could have done."""

from __future__ import annotations

import numpy as np
import pytest

from training.evaluation.paired_gain import figure_of, losses_of, paired_gain

RANDOM = np.random.default_rng(3)
LABELS = RANDOM.normal(10, 3, 400)
NOISE = RANDOM.normal(0, 1, 400)


@pytest.mark.parametrize("metric", ["mae", "rmse"])
def test_half_the_error_is_a_gain_of_one_half_whatever_rows_are_drawn(metric: str) -> None:
    ours, theirs = (losses_of(metric, LABELS, LABELS + size * NOISE) for size in (1, 2))
    gain = paired_gain(metric, ours, theirs)
    assert (gain.share, gain.low, gain.high) == pytest.approx((0.5, 0.5, 0.5))


def test_the_band_is_wide_where_models_differ_by_chance_only() -> None:
    ours = losses_of("mae", LABELS, LABELS + NOISE)
    theirs = losses_of("mae", LABELS, LABELS + RANDOM.permutation(NOISE))
    gain = paired_gain("mae", ours, theirs)
    assert gain.low is not None
    assert gain.high is not None
    assert gain.low < 0 < gain.high


def test_classes_gain_by_fewer_wrong_answers() -> None:
    labels = np.array(["a"] * 100)
    ours, theirs = (np.where(np.arange(100) < wrong, "b", "a") for wrong in (2, 4))
    losses = [losses_of("accuracy", labels, answers) for answers in (ours, theirs)]
    assert [figure_of("accuracy", each) for each in losses] == pytest.approx([0.98, 0.96])
    assert paired_gain("accuracy", *losses).share == pytest.approx(0.5)


def test_nothing_is_gained_beside_a_model_without_error() -> None:
    assert paired_gain("mae", np.ones(5), np.zeros(5)).share == 0
