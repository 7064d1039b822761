"""Whom a challenger answers: a share of callers, the same ones everywhere and always, and more of them with more weight."""

from __future__ import annotations

import itertools
import subprocess
import sys

import pytest

from modelkit.shares import parse_shares
from serving.splitting import Split, split_key_of
from tests.architecture.source_tree import ROOT

SUBJECTS = [f"subject-{number}" for number in range(100_000)]


def taken(split: Split, subjects: list[str] = SUBJECTS) -> set[str]:
    return {subject for subject in subjects if split.takes(subject)}


@pytest.mark.parametrize("weight", [0.01, 0.1, 0.25, 0.5, 0.9])
@pytest.mark.parametrize("model", ["iris", "basket"])
def test_the_challenger_has_its_share_of_callers_within_half_a_point(model: str, weight: float) -> None:
    assert abs(len(taken(Split(model, weight))) / len(SUBJECTS) - weight) < 0.005


def test_nobody_and_everybody_are_weights_too() -> None:
    assert taken(Split("iris", 0.0), SUBJECTS[:1000]) == set()
    assert taken(Split("iris", 1.0), SUBJECTS[:1000]) == set(SUBJECTS[:1000])


def test_more_weight_takes_nobody_away() -> None:
    groups = [taken(Split("iris", weight)) for weight in (0.01, 0.05, 0.1, 0.5)]
    assert all(smaller < larger for smaller, larger in itertools.pairwise(groups))


@pytest.mark.parametrize(
    "other", [Split("basket", 0.5), Split("iris", 0.5, salt="second")], ids=["model", "salt"]
)
def test_two_models_and_two_salts_draw_independently(other: Split) -> None:
    both = taken(Split("iris", 0.5)) & taken(other)
    assert abs(len(both) / len(SUBJECTS) - 0.25) < 0.005


def test_a_fresh_process_says_the_same() -> None:
    code = (
        "from serving.splitting import Split; split = Split('iris', 0.2);"
        "print(','.join(str(n) for n in range(2000) if split.takes(f'subject-{n}')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    split = Split("iris", 0.2)
    assert done.stdout.strip() == ",".join(str(n) for n in range(2000) if split.takes(f"subject-{n}"))


def test_where_units_stand_never_changes() -> None:
    # Known answers: another hash would move every caller of a running experiment.
    split = Split("iris", 0.5)
    assert [split.takes(unit) for unit in ("ada", "bob", "carol", "dan", "eve", "")] == [
        False,
        False,
        True,
        True,
        True,
        True,
    ]
    assert split_key_of(b"cart-17") == "cf464ed42c03fd91c2240d5aca8d91d5"


def test_shares_are_per_cents_by_model() -> None:
    assert parse_shares("iris=10, basket = 2.5\nfood-delivery=0,") == {
        "iris": 0.1,
        "basket": 0.025,
        "food-delivery": 0.0,
    }


@pytest.mark.parametrize("text", ["iris", "iris=", "iris=101", "iris=-1", "iris=nan", "=5", "iris=1,iris=2"])
def test_what_is_no_share_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"iris"):
        parse_shares(text)
