"""`python -m training baselines` as its users meet it: a table, a page of all models, one line for what is missing."""

from __future__ import annotations

import contextlib
import json
import shutil
from pathlib import Path

import pytest

from modelkit.definition import load_catalog
from tests.stage_runs import small_params
from training.cli import main
from training.data.raw_data import write_raw
from training.files import write_json
from training.layout import Layout
from training.stages.featurize import featurize
from training.stages.prepare import prepare

ROOT = Path(__file__).parents[2]
IRIS = load_catalog()["iris"]
QUICKLY = ["baselines", "iris", "--iterations", "50"]


def run(folder: Path, *arguments: str) -> int:
    shutil.copy(ROOT / "params.yaml", folder)
    with contextlib.chdir(folder):
        return main(arguments)


def test_the_table_is_printed_and_joins_what_the_page_says_of_other_models(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    layout, params = Layout(model="iris", root=tmp_path), small_params(IRIS)
    write_raw(IRIS, layout, source=None)
    prepare(IRIS, params, layout)
    featurize(IRIS, params, layout)
    other = {
        "metric": "mae",
        "verdict": "1 of 1 bars reached",
        "cells": [["a line"] * 6],
        "missing": ["pear"],
    }
    write_json(tmp_path / "reports/baselines.json", {"apple": other})
    assert run(tmp_path, *QUICKLY) == 0
    said = capsys.readouterr().out
    assert "baselines iris: 3 of 3 bars reached" in said
    assert "discriminant analysis" in said
    page = (tmp_path / "reports/baselines.md").read_text()
    for word in ("## apple", "pear is not trained yet", "## iris", "| support vectors | accuracy 0.9"):
        assert word in page
    figures = json.loads((tmp_path / "reports/baselines.json").read_text())["iris"]
    assert [line["reached"] for line in figures["lines"]] == [True] * 4


def test_before_the_stages_ran_it_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, "baselines", "iris") == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("baselines: data/prepared/iris/rows.parquet is not there")
    assert said.err.count("\n") == 1


@pytest.mark.parametrize("number", ["0", "-5", "many"])
def test_less_than_one_iteration_is_refused(
    number: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, "baselines", "iris", "--iterations", number) == 2
    assert "a whole number of 1 or more" in capsys.readouterr().err
