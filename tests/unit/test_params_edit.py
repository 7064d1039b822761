"""Found knobs in `params.yaml`: a reviewer sees what changed and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from training.search.knobs import merged, rounded
from training.search.params_edit import edited, write_knobs

ROOT = Path(__file__).parents[2]
PARAMS = """\
# Read me.
models:
  rivers:
    train:
      seed: 7  # the year
      boosting:
        depth: 6
        rate: 0.1   # slow
      kinds:
        - "wide"
        - deep
    smoke:
      boosting:
        depth: 2
  lakes:
    train:
      boosting: {depth: 6}
"""


def test_only_the_lines_of_changed_knobs_differ() -> None:
    after = edited(PARAMS, "rivers", {"boosting": {"depth": 8, "rate": 0.1}})
    assert after == PARAMS.replace("        depth: 6\n", "        depth: 8\n", 1)


def test_a_new_knob_is_added_where_it_belongs() -> None:
    after = edited(PARAMS, "rivers", {"boosting": {"leaves": 3}, "new": {"deep": {"er": 1}}})
    train = yaml.safe_load(after)["models"]["rivers"]["train"]
    assert train["boosting"] == {"depth": 6, "rate": 0.1, "leaves": 3}
    assert train["new"] == {"deep": {"er": 1}}
    assert "# slow" in after


def test_small_numbers_are_read_back_as_numbers() -> None:
    after = edited(PARAMS, "rivers", {"boosting": {"rate": 1e-05}})
    assert yaml.safe_load(after)["models"]["rivers"]["train"]["boosting"]["rate"] == 1e-05


def test_the_projects_own_file_survives_a_search_that_changes_nothing() -> None:
    text = (ROOT / "params.yaml").read_text()
    for model in yaml.safe_load(text)["models"]:
        assert edited(text, model, {}) == text


@pytest.mark.parametrize("dry", [True, False])
def test_the_diff_is_shown_and_the_file_written_unless_asked_otherwise(tmp_path: Path, dry: bool) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(PARAMS)
    diff = write_knobs("rivers", {"seed": 8}, path, dry=dry)
    assert "-      seed: 7  # the year\n+      seed: 8  # the year\n" in diff
    assert ("seed: 8" in path.read_text()) is not dry
    assert list(tmp_path.iterdir()) == [path]


def test_a_line_that_occurs_often_is_no_change_in_a_long_file(tmp_path: Path) -> None:
    block = "  model_{}:\n    train:\n      depth: 6\n      loss: RMSE\n      rate: 0.1\n"
    path = tmp_path / "params.yaml"
    path.write_text("models:\n" + "".join(map(block.format, range(60))))
    diff = write_knobs("model_30", {"depth": 8, "rate": 0.2}, path)
    changed = [line for line in diff.splitlines() if line.startswith(("+ ", "- "))]
    assert changed == ["-      depth: 6", "+      depth: 8", "-      rate: 0.1", "+      rate: 0.2"]


def test_knobs_override_as_deep_as_they_go_and_keep_the_rest() -> None:
    block = {"seed": 1, "boosting": {"depth": 6, "loss": "RMSE"}}
    assert merged(block, {"boosting": {"depth": 7}}) == {
        "seed": 1,
        "boosting": {"depth": 7, "loss": "RMSE"},
    }
    assert block["boosting"] == {"depth": 6, "loss": "RMSE"}


def test_what_is_judged_has_four_digits() -> None:
    assert rounded({"a": {"b": 0.123456}, "c": 123456.0, "d": 7, "e": "x"}) == {
        "a": {"b": 0.1235},
        "c": 123500.0,
        "d": 7,
        "e": "x",
    }
