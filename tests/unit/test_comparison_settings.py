"""Settings of the comparison, and the page that explains them: what is wrong stops at the door, what is printed works."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from monitoring.__main__ import _parser as report_parser
from serving.door import check_agent
from serving.served_models import challenger_store, pinned_challengers
from serving.settings import Settings
from tests.architecture.source_tree import ROOT
from training.cli import _parser, command_modules

PAGE = (ROOT / "docs/comparison.md").read_text()


def settings(folder: Path, **values: Any) -> Settings:
    places = {"spool_dir": folder / "spool", "model_store_dir": folder / "store"}
    return Settings(**{"slipway_env": "dev", **places, **values})


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"ab_weights": "iris"}, "written as iris=10"),
        ({"shadow_samples": "iris=200"}, "0 to 100 per cent"),
        ({"challenger_alias": "production"}, "CHALLENGER_ALIAS and MODEL_ALIAS must differ"),
        ({"challenger_versions": "iris=4"}, "CHALLENGER_VERSIONS needs MODEL_SOURCE=pinned"),
        ({"model_source": "path", "model_path": ".", "ab_weights": "iris=1"}, "need CHALLENGER_PATH"),
        ({"ab_split_by": "mood"}, "subject"),
    ],
)
def test_settings_that_mean_nothing_are_refused(tmp_path: Path, values: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        settings(tmp_path, **values)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"ab_weights": "toaster=1"}, "AB_WEIGHTS names toaster, which is not served here"),
        ({"models": "iris", "shadow_samples": "basket=1"}, "SHADOW_SAMPLES names basket"),
        (
            {"model_source": "pinned", "models": "iris", "model_versions": "iris=3", "ab_weights": "iris=1"},
            "CHALLENGER_VERSIONS pins no challenger of iris",
        ),
        ({"challenger_alias": "../escape"}, "names of models, versions and aliases"),
    ],
)
def test_what_names_nothing_stops_at_the_door(tmp_path: Path, values: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        check_agent(settings(tmp_path, **values))


def test_pinned_challengers_have_pointers_of_their_own(tmp_path: Path) -> None:
    pinned = settings(
        tmp_path,
        model_source="pinned",
        models="iris",
        model_versions="iris=3",
        challenger_versions="iris=4",
        ab_weights="iris=1",
    )
    assert pinned_challengers(pinned) == {"iris": "4"}
    assert challenger_store(pinned).alias == "pinned-challenger"
    assert challenger_store(settings(tmp_path)).alias == "challenger"


def test_a_weight_of_nothing_is_no_challenger(tmp_path: Path) -> None:
    assert settings(tmp_path, ab_weights="iris=0", shadow_samples="iris=0").challenged == frozenset()


def test_the_settings_of_the_page_are_settings(tmp_path: Path) -> None:
    (block,) = re.findall(r"```\n# kustomize.*?\n(.*?)```", PAGE, flags=re.DOTALL)
    values = dict(line.split("=", 1) for line in block.splitlines())
    made = settings(tmp_path, **{name.lower(): value for name, value in values.items()})
    assert (made.weights, made.shadows) == ({"iris": 0.05}, {"iris": 0.2, "basket": 0.01})
    named = set(re.findall(r"`([A-Z][A-Z_]{4,})(?:=[^`]*)?`", PAGE))
    known = {name.upper() for name in Settings.model_fields}
    assert {name for name in named if name.startswith(("AB_", "SHADOW_", "CHALLENGER_"))} <= known


def test_the_commands_of_the_page_are_commands() -> None:
    commands = re.findall(r"^python -m (\w+) ([^#\n]*)", PAGE, flags=re.MULTILINE)
    assert {program for program, _ in commands} == {"training", "monitoring"}
    for program, rest in commands:
        parser = report_parser() if program == "monitoring" else _parser(command_modules())
        assert parser.parse_args(shlex.split(rest)).command
