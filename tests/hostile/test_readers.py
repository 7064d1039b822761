"""A few hundred bodies for every reader of every model; `python -m tests.hostile --readers 100000` is the long form."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.front_service import CATALOG
from tests.hostile.answers import NotHttp, all_answers
from tests.hostile.readers import break_readers

SEED = 20260102


@pytest.mark.parametrize("name", ["iris", "housing", "food-delivery"])
def test_whatever_a_reader_gets_it_makes_rows_of_it_or_refuses(name: str, tmp_path: Path) -> None:
    assert break_readers(CATALOG[name], tmp_path, examples=60, first_seed=SEED)


def test_answers_to_head_are_told_from_those_with_bodies() -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n"
    whole = head + b"{}"
    for said, bodies in (
        (head, [b""]),
        (head + whole + head, [b"", b"{}", b""]),
        (whole + head, [b"{}", b""]),
    ):
        assert [answer.body for answer in all_answers(said, heads=True)] == bodies
    with pytest.raises(NotHttp):
        all_answers(head + b"x", heads=True)
