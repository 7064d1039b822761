"""A later slice of raw data, scored: alone or with its history it gives the same rows, and every one of them is answered."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from modelkit.definition import ModelDefinition, load_catalog
from modelkit.servable import Servable, load_servable
from tests.raw_history import RawHistory, raw_history
from tests.stage_runs import STAGES, small_params
from training.data.raw_data import write_raw
from training.errors import NothingAnswered, RawDataMissing
from training.evaluation.required_only import without_optional
from training.frames import to_requests
from training.layout import Layout
from training.recipes import recipe_of
from training.scoring.careful_client import send
from training.scoring.later_slice import LaterSlice, later_slice
from training.scoring.slice_score import SliceScore, score_slice

LAST_SHARE = 0.9
CATALOG = load_catalog()


@dataclass(frozen=True)
class Cut:
    """Raw files before and from `moment` on, and whole. Where rows have no time, the last tenth of each file is new."""

    definition: ModelDefinition
    moment: pd.Timestamp | None
    known: Path
    later: Path
    whole: Path

    def slice(self, later: Path) -> LaterSlice:
        return later_slice(self.definition, later, known=self.known, since=self.moment)


def cut_of(definition: ModelDefinition, folder: Path) -> Cut:
    recipe = recipe_of(definition)
    known, later, whole = (folder / name / recipe.RAW_FOLDER for name in ("known", "later", "whole"))
    for path in (known, later, whole):
        path.mkdir(parents=True)
    for name, content in recipe.synthesise(5).items():
        (whole / name).write_bytes(content)
    rows, _ = recipe.labelled(whole)
    if rows["time"].isna().all():
        for name in recipe.RAW_FILES:
            frame = pd.read_csv(whole / name, dtype=str, keep_default_na=False).drop_duplicates()
            first = int(LAST_SHARE * len(frame))
            frame.head(first).to_csv(known / name, index=False)
            frame.tail(len(frame) - first).to_csv(later / name, index=False)
        return Cut(definition, None, known, later, whole)
    moment = rows["time"].sort_values().iloc[int(LAST_SHARE * len(rows))].normalize()
    history: RawHistory = raw_history(recipe, whole, rows)
    history.before(moment).write(known)
    history.from_on(moment).write(later)
    return Cut(definition, moment, known, later, whole)


@pytest.fixture(scope="module", params=CATALOG.values(), ids=lambda definition: definition.name)
def cut(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Cut:
    return cut_of(request.param, tmp_path_factory.mktemp("cut"))


def test_the_slice_alone_and_with_its_history_give_the_same_rows(cut: Cut) -> None:
    alone, whole = cut.slice(cut.later.parent), cut.slice(cut.whole)
    assert len(alone.rows) > 0
    pd.testing.assert_frame_equal(alone.rows, whole.rows)


def test_rows_of_the_slice_are_those_of_the_whole_history(cut: Cut) -> None:
    rows, _ = recipe_of(cut.definition).labelled(cut.whole)
    if cut.moment is not None:
        assert len(cut.slice(cut.later).rows) == (rows["time"] >= cut.moment).sum()


def test_every_row_becomes_a_request_that_the_schema_accepts(cut: Cut) -> None:
    requests = to_requests(cut.slice(cut.later).rows, cut.definition.row)
    for sent in (
        send(cut.definition, requests),
        send(cut.definition, without_optional(cut.definition, requests)),
    ):
        assert None not in sent.rows, sent.refused


def test_a_slice_without_new_rows_is_refused(cut: Cut) -> None:
    with pytest.raises(RawDataMissing, match="no labelled row"):
        later_slice(cut.definition, cut.known, known=cut.known, since=cut.moment)


@dataclass(frozen=True)
class Scored:
    cut: Cut
    servable: Servable
    found: LaterSlice
    score: SliceScore


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Scored:
    definition = CATALOG["food-delivery"]
    cut = cut_of(definition, tmp_path_factory.mktemp("cut"))
    layout = Layout(model=definition.name, root=tmp_path_factory.mktemp("trained"))
    write_raw(definition, layout, source=cut.known.parent)
    for stage in STAGES:
        stage(definition, small_params(definition), layout)
    servable = load_servable(layout.servable, definition)
    found = cut.slice(cut.later)
    return Scored(cut, servable, found, score_slice(definition, servable, found.rows, cut=None))


def test_a_servable_trained_on_what_came_before_is_worth_as_much_on_what_came_after(scored: Scored) -> None:
    promised = scored.servable.card.metrics["overall.mae"]
    assert scored.score.figures["all rows"]["mae"] == pytest.approx(promised, rel=0.25)
    assert scored.score.answered == scored.score.rows == len(scored.found.rows)


def test_figures_do_not_depend_on_the_layout(scored: Scored) -> None:
    whole = scored.cut.slice(scored.cut.whole)
    again = score_slice(scored.cut.definition, scored.servable, whole.rows, cut=None)
    assert json.dumps(again.figures) == json.dumps(scored.score.figures)
    pd.testing.assert_frame_equal(again.answers, scored.score.answers)


def test_a_row_with_nothing_but_a_label_is_answered(scored: Scored) -> None:
    rows = scored.found.rows.head(3).copy()
    rows.loc[1, list(scored.cut.definition.row.model_fields)] = None
    rows.loc[1, ["time", "entity"]] = None
    score = score_slice(scored.cut.definition, scored.servable, rows, cut=None)
    assert score.answered == 3
    assert score.answers["prediction"].notna().all()


def test_a_few_giant_labels_are_left_out_for_callers_who_know_much_and_little(scored: Scored) -> None:
    labels, figures = scored.found.rows["label"], scored.score.figures
    usual = (labels <= labels.quantile(0.99)).sum()
    assert 0 < usual < len(labels)
    for whole in ("all rows", "required fields only"):
        assert figures[whole]["rows"] == len(labels)
    for part in ("labels up to", "required fields only, labels up to"):
        assert figures[f"{part} the 99th percentile"]["rows"] == usual


def test_a_slice_of_which_no_row_makes_a_request_is_refused_by_its_reason(scored: Scored) -> None:
    basket = CATALOG["basket"]
    rows = pd.DataFrame({name: [None] for name in [*basket.row.model_fields, "time", "entity", "label"]})
    with pytest.raises(NothingAnswered, match=r"not one of 1 rows of basket makes a request: .*user_id"):
        score_slice(basket, scored.servable, rows, cut=None)


def test_values_that_the_schema_refuses_are_left_out_and_counted(scored: Scored) -> None:
    rows = scored.found.rows.head(3).copy()
    rows.loc[0, "rider_rating"] = 6.0
    rows.loc[0, "weather"] = "hail"
    score = score_slice(scored.cut.definition, scored.servable, rows, cut=None)
    assert score.answered == 3
    assert score.sent.dropped == {"rider_rating": 1, "weather": 1}


def test_rows_that_trained_the_servable_are_told_apart(scored: Scored) -> None:
    rows = scored.found.rows
    middle = rows["time"].sort_values().iloc[len(rows) // 2]
    score = score_slice(scored.cut.definition, scored.servable, rows, cut=middle)
    unseen = next(figures for name, figures in score.figures.items() if "training cut" in name)
    assert unseen["rows"] == (rows["time"] > middle).sum()
