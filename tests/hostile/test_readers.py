"""A few hundred bodies for every reader of every model; `python -m tests.hostile --readers 100000` is the long form."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.front_service import CATALOG
from tests.hostile.readers import break_readers

SEED = 20260102


@pytest.mark.parametrize("name", ["iris", "housing", "food-delivery"])
def test_whatever_a_reader_gets_it_makes_rows_of_it_or_refuses(name: str, tmp_path: Path) -> None:
    assert break_readers(CATALOG[name], tmp_path, examples=60, first_seed=SEED)
