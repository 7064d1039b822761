"""Later raw files over known ones: nothing twice, news in the place of what it replaces, other spellings recognised."""

from __future__ import annotations

import gzip
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from training.data.raw_merge import MergedFile, merge_raw, raw_folder
from training.errors import RawDataMissing

RECIPE: Any = SimpleNamespace(RAW_FOLDER="shop", RAW_FILES=("orders.csv.gz", "lines.csv.gz"))
ORDERS = "id,ordered,done\n1,mon,tue\n2,tue,\n"
LINES = "order,product\n1,pear\n1,pear\n2,plum\n"


@pytest.fixture
def known(tmp_path: Path) -> Path:
    return folder(tmp_path / "known", ORDERS, LINES)


def folder(path: Path, orders: str, lines: str | None = None) -> Path:
    path.mkdir(parents=True)
    (path / "orders.csv.gz").write_bytes(gzip.compress(orders.encode()))
    if lines is not None:
        (path / "lines.csv.gz").write_bytes(gzip.compress(lines.encode()))
    return path


def merged(known: Path, later: Path, tmp_path: Path) -> tuple[dict[str, str], list[MergedFile]]:
    counted = merge_raw(RECIPE, known, later, tmp_path / "merged")
    files = {name: gzip.decompress((tmp_path / "merged" / name).read_bytes()) for name in RECIPE.RAW_FILES}
    return {name: content.decode() for name, content in files.items()}, counted


def test_a_row_that_is_known_is_not_added_again(known: Path, tmp_path: Path) -> None:
    later = folder(tmp_path / "later", ORDERS + "3,wed,thu\n", LINES + "3,pear\n3,pear\n")
    files, counted = merged(known, later, tmp_path)
    assert files == {"orders.csv.gz": ORDERS + "3,wed,thu\n", "lines.csv.gz": LINES + "3,pear\n3,pear\n"}
    assert [(file.added, file.equal, file.replaced) for file in counted] == [(1, 2, 0), (2, 3, 0)]


def test_news_about_a_known_row_takes_its_place(known: Path, tmp_path: Path) -> None:
    files, counted = merged(known, folder(tmp_path / "later", "id,ordered,done\n2,tue,fri\n"), tmp_path)
    assert files["orders.csv.gz"] == "id,ordered,done\n1,mon,tue\n2,tue,fri\n"
    assert counted[0].replaced == 1


def test_a_file_that_did_not_come_again_is_the_known_one(known: Path, tmp_path: Path) -> None:
    files, counted = merged(known, folder(tmp_path / "later", "id,ordered,done\n3,wed,\n"), tmp_path)
    assert files["lines.csv.gz"] == LINES
    assert [file.name for file in counted] == ["orders.csv.gz"]


def test_columns_keep_the_known_order_and_spelling_and_new_ones_follow(known: Path, tmp_path: Path) -> None:
    later = folder(tmp_path / "later", "Ordered,id,done,tip\nwed,3,thu,5\n")
    files, _ = merged(known, later, tmp_path)
    assert files["orders.csv.gz"] == "id,ordered,done,tip\n1,mon,tue,\n2,tue,,\n3,wed,thu,5\n"


def test_identifiers_stay_text(known: Path, tmp_path: Path) -> None:
    files, _ = merged(known, folder(tmp_path / "later", "id,ordered,done\n007,NaN ,nan\n"), tmp_path)
    assert files["orders.csv.gz"].endswith("007,NaN ,nan\n")


def test_files_may_come_uncompressed(known: Path, tmp_path: Path) -> None:
    later = tmp_path / "later"
    later.mkdir()
    pd.DataFrame({"id": ["3"], "ordered": ["wed"], "done": ["thu"]}).to_csv(later / "orders.csv", index=False)
    files, _ = merged(known, later, tmp_path)
    assert files["orders.csv.gz"] == ORDERS + "3,wed,thu\n"


def test_a_folder_is_named_itself_or_by_the_one_that_holds_all_data_sets(tmp_path: Path) -> None:
    inner = folder(tmp_path / "all" / "shop", ORDERS)
    assert raw_folder(RECIPE, inner) == raw_folder(RECIPE, tmp_path / "all") == inner


def test_a_folder_without_any_raw_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RawDataMissing, match=r"orders\.csv\.gz"):
        raw_folder(RECIPE, tmp_path)


def test_a_file_that_nobody_has_is_named(known: Path, tmp_path: Path) -> None:
    (known / "lines.csv.gz").unlink()
    with pytest.raises(RawDataMissing, match="lines"):
        merge_raw(RECIPE, known, folder(tmp_path / "later", ORDERS), tmp_path / "merged")
