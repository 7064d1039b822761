"""Explanations of every model as it was trained and compiled: they add up, and rest on rows that trained it."""

from __future__ import annotations

import time

import numpy as np
import pytest

from modelkit.contract import golden_matrix
from modelkit.explaining import Effort, ExplainedModel
from modelkit.explanation import By
from modelkit.reference import BACKGROUND_ROWS
from tests.stage_runs import Trained

PATIENCE_SECONDS = 100.0
ROWS = 3


def effort(rows: int) -> Effort:
    return Effort(rows=rows, deadline=time.perf_counter() + PATIENCE_SECONDS)


@pytest.mark.parametrize("by", list(By), ids=str)
def test_contributions_add_up_to_the_prediction(trained: Trained, by: By) -> None:
    definition, servable = trained.definition, trained.servable
    explained = ExplainedModel(definition, servable)
    golden = servable.contract.golden_rows[-ROWS:]
    outputs = servable.compiled.run(golden_matrix(definition, golden))
    for row, output in zip(golden, outputs.tolist(), strict=True):
        found = explained.explain(explained.from_object(row), by, effort(4096))
        said = max(output) if definition.classes else output[0]
        assert found.value == said
        total = found.base_value + sum(found.contributions.values())
        assert abs(total - said) <= 1e-6 * abs(said)


def test_the_background_is_rows_that_trained_the_version(trained: Trained) -> None:
    reference = trained.servable.reference
    assert len(reference.background) == min(BACKGROUND_ROWS, reference.rows)
    explained = ExplainedModel(trained.definition, trained.servable)
    row = explained.from_object(trained.servable.contract.golden_rows[-1])
    found = explained.explain(row, By.FIELDS, effort(1024))
    assert (found.background_rows, found.background_source) == (len(reference.background), "training")
    outputs = trained.servable.compiled.run(golden_matrix(trained.definition, reference.background))
    place = trained.definition.classes.index(str(found.prediction)) if trained.definition.classes else 0
    assert found.base_value == pytest.approx(np.mean(outputs[:, place], dtype=np.float64), rel=1e-9)


def test_the_same_row_is_explained_alike_every_time(trained: Trained) -> None:
    found = []
    for _ in range(2):
        explained = ExplainedModel(trained.definition, trained.servable)
        row = explained.from_object(trained.servable.contract.golden_rows[-1])
        found.append(explained.explain(row, By.FEATURES, effort(2048)))
    assert found[0] == found[1]
