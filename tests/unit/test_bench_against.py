"""A tree beside an earlier one: rounds are compared with their neighbours. What anything costs is no test's business."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.against import Comparison, in_turn, main, table
from bench.errors import BenchError


def test_a_round_is_compared_with_its_neighbour() -> None:
    """The machine was slow in the second round, for both."""
    found = Comparison(kind="hits", before=[100, 200, 100], now=[104, 208, 104])
    assert found.ratio == pytest.approx(1.04)
    assert table([found])[-1] == "| hits | 100, 100 | 104, 104 | 1.040 |"


def test_each_side_goes_first_in_every_other_round() -> None:
    assert [in_turn("before", "now", number=number)[0] for number in (1, 2, 3, 4)] == [
        "before",
        "now",
        "before",
        "now",
    ]


def test_a_folder_that_is_no_checkout_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="is no checkout"):
        main([str(tmp_path)])
