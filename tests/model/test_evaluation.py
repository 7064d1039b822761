"""What the evaluation leaves for people and for gates, for every model of the catalog."""

from __future__ import annotations

import json
import re

import pandas as pd

from modelkit.definition import Task
from tests.stage_runs import Trained, small_params
from training.evaluation.comparison import TITLES, as_html, as_markdown, as_text, compare_runs
from training.evaluation.plots import INK
from training.evaluation.required_only import has_optional_fields
from training.evaluation.run_facts import number, read_run
from training.evaluation.scores import main_metric
from training.files import read_json
from training.stages.evaluate import evaluate
from training.stages.report import report


def metrics_of(trained: Trained) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = json.loads(trained.layout.metrics.read_text())
    return found


def test_every_figure_of_the_model_stands_beside_both_baselines(trained: Trained) -> None:
    metrics = metrics_of(trained)
    for name in ("linear", "constant"):
        assert metrics["baseline"][name].keys() == metrics["overall"].keys()  # type: ignore[attr-defined]


def test_a_request_without_its_optional_fields_is_worth_less_and_that_is_said(trained: Trained) -> None:
    metrics, main = metrics_of(trained), main_metric(trained.definition)
    assert ("required_only" in metrics) == has_optional_fields(trained.definition)
    if "required_only" in metrics and trained.definition.task is Task.REGRESSION:
        assert metrics["required_only"][main] > metrics["overall"][main]
        assert metrics["interval"].keys() - {"stated"} <= metrics["required_only"].keys()


def test_intervals_are_judged_overall_and_in_every_slice(trained: Trained) -> None:
    metrics = metrics_of(trained)
    slices = json.loads(trained.layout.slices.read_text())["slice"]
    expected = trained.definition.task is Task.REGRESSION
    assert ("interval" in metrics) == expected
    assert all(("coverage" in figures) == expected for figures in slices.values())


def test_every_feature_has_its_importance(trained: Trained) -> None:
    table = pd.read_csv(trained.layout.plots / "importance.csv")
    assert sorted(table["feature"]) == sorted(trained.definition.feature_columns)
    assert table["importance"].iloc[0] > 0


def test_the_same_input_gives_the_same_files(trained: Trained) -> None:
    layout = trained.layout
    folders = (layout.plots, layout.pictures)
    files = [
        layout.metrics,
        layout.slices,
        layout.page,
        layout.card,
        *(p for f in folders for p in f.iterdir()),
    ]
    before = {path: path.read_bytes() for path in files}
    params = small_params(trained.definition)
    evaluate(trained.definition, params, layout)
    report(trained.definition, params, layout)
    assert {path.name for path in files if path.read_bytes() != before[path]} == set()


def test_the_report_needs_no_network_and_has_the_ink_of_the_page(trained: Trained) -> None:
    page = trained.layout.page.read_text()
    assert not re.search(r'(src|href)="(?!#|data:)', page)
    assert "@import" not in page
    assert INK not in page.split("</style>")[1]
    assert page.count("<svg") == 6


def test_the_report_names_every_gate_and_every_slice(trained: Trained) -> None:
    page = trained.layout.page.read_text()
    facts = read_run(trained.definition, trained.layout.servable)
    for word in [*(result.gate for result in facts.gates), *(name for name, _ in facts.slices())]:
        assert word in page


def test_the_model_card_is_the_prose_and_the_figures_of_this_version(trained: Trained) -> None:
    written, card = trained.layout.card.read_text(), trained.servable.card
    assert written.startswith("# ")
    for fact in (
        card.git_sha,
        card.data_hash,
        card.trained_at,
        *(gate.name for gate in trained.definition.gates),
    ):
        assert fact in written
    if card.trained_until:
        assert card.trained_until in written


def test_slices_are_read_back_worst_first(trained: Trained) -> None:
    facts = read_run(trained.definition, trained.layout.servable)
    figures = [values[facts.main] for _, values in facts.slices()]
    assert figures == sorted(figures, reverse=trained.definition.task is Task.REGRESSION)


def test_a_cross_validated_figure_comes_first_where_there_is_one(trained: Trained) -> None:
    facts = read_run(trained.definition, trained.layout.servable)
    figure = metrics_of(trained).get("cross_validation", {}).get(facts.main)
    said = compare_runs([facts], []).rows[0][TITLES.index("main figure")]
    page = trained.layout.page.read_text()
    if figure is None:
        assert "cross-validated" not in said + page
    else:
        assert said == f"{facts.main} {number(figure)} (cross-validated)"
        assert "cross-validated</" in page
        assert number(figure) in page


def test_models_are_compared_in_one_table(trained: Trained) -> None:
    facts = read_run(trained.definition, trained.layout.servable)
    comparison = compare_runs([facts], ["tulips"])
    assert len(comparison.rows[0]) == len(TITLES)
    for text in ("\n".join(as_text(comparison)), as_markdown(comparison), as_html(comparison)):
        assert trained.definition.name in text
        assert "tulips: not trained yet" in text
    taught = read_json(trained.layout.training_facts)["rows"]
    assert comparison.rows[0][TITLES.index("trained on")] == f"{taught:,}"
