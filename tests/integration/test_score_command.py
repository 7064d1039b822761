"""`score` and `compare` as their users meet them: the promoted version out of a real registry, pages on disk."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from modelkit.definition import load_catalog
from tests.stage_runs import run_stages
from training.cli import main
from training.registration import registration_of
from training.registry import Registry
from training.version import PRODUCTION

IRIS = load_catalog()["iris"]

pytestmark = pytest.mark.filterwarnings("ignore")  # MLflow's own


@dataclass(frozen=True)
class Workplace:
    """The folder in which the commands run, with a trained and promoted model, and raw data with ten new flowers."""

    folder: Path
    newer: Path


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workplace]:
    folder = tmp_path_factory.mktemp("workplace")
    layout = run_stages(IRIS, folder)
    newer = folder / "newer" / "iris"
    newer.mkdir(parents=True)
    flowers = pd.read_csv(layout.raw / "iris.csv.gz")
    lengths = list(IRIS.request.model_fields)
    new = flowers.sample(10, random_state=0)
    new[lengths] = (new[lengths] + 0.013).round(3)
    pd.concat([flowers.head(20), new]).to_csv(newer / "iris.csv.gz", index=False)
    with contextlib.chdir(folder):
        registry = Registry(f"sqlite:///{folder / 'mlflow.db'}")
        registry.move_alias(registry.add(registration_of(IRIS, layout)), PRODUCTION)
        yield Workplace(folder, newer.parent)


def test_the_promoted_version_is_scored_on_rows_that_are_new(
    workplace: Workplace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["score", "iris", "--raw", str(workplace.newer)]) == 0
    said = capsys.readouterr().out
    assert "version 1 (production): 10 of 10 rows answered" in said
    assert "20 rows left out: the known data holds them already" in said
    written = json.loads((workplace.folder / "reports" / "score-iris.json").read_text())
    assert written["figures"]["all rows"]["accuracy"] >= 0.9
    assert written["rows"] == {"slice": 10, "answered": 10, "known_left_out": 20}
    answers = pd.read_csv(workplace.folder / "reports" / "score-iris.csv")
    assert set(answers["prediction"]) <= set(IRIS.classes)


def test_a_servable_on_disk_gives_the_same_figures(workplace: Workplace, tmp_path: Path) -> None:
    raw, out = str(workplace.newer), tmp_path / "local.json"
    main(["score", "iris", "--raw", raw])
    main(["score", "iris", "--raw", raw, "--servable", "models/iris/servable", "--out", str(out)])
    promoted = json.loads((workplace.folder / "reports" / "score-iris.json").read_text())
    assert json.loads(out.read_text())["figures"] == promoted["figures"]


def test_a_date_means_nothing_to_rows_without_time_and_that_is_said(
    workplace: Workplace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["score", "iris", "--raw", str(workplace.newer), "--from", "2024-01-01"]) == 0
    assert "--from is ignored" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--raw", "nowhere"], "nowhere holds none of iris.csv.gz"),
        (["--raw", "data/raw/iris"], "no labelled row"),
        (["--raw", "newer", "--alias", "challenger"], "iris has no version in challenger"),
        (["--raw", "newer", "--version", "7"], "has no version 7"),
        (["--raw", "newer", "--from", "soon"], "--from is not a date: soon"),
        (["--raw", "newer", "--servable", "nowhere"], "nowhere holds no servable"),
    ],
)
def test_what_cannot_be_scored_is_one_line(
    workplace: Workplace, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["score", "iris", *arguments]) == 1
    assert said in capsys.readouterr().err


def test_compare_writes_pages_and_names_models_that_are_not_trained(
    workplace: Workplace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare"]) == 0
    said = capsys.readouterr().out
    assert "food-delivery: not trained yet" in said
    for name in ("comparison.md", "comparison.html"):
        assert "iris" in (workplace.folder / "reports" / name).read_text()


def test_the_report_and_the_card_are_kept_with_the_version(workplace: Workplace, tmp_path: Path) -> None:
    registry = Registry(f"sqlite:///{workplace.folder / 'mlflow.db'}")
    version = registry.by_alias(IRIS.registry_name, PRODUCTION)
    assert version is not None
    for name in ("report.html", "CARD.md"):
        kept = registry.download(version, f"evaluation/{name}", tmp_path)
        assert kept.read_bytes() == (workplace.folder / "models" / "iris" / name).read_bytes()
