"""What training materialises, the agent reads: one contract for Parquet and SQL (SQLite and PostgreSQL)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from math import nan
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow
import pyarrow.parquet
import pytest
from pydantic import Field

from modelkit.definition import FeatureView
from modelkit.view_rows import ViewRows
from records.engine import open_engine
from records.feature_tables import feature_table
from serving.agent.feature_origins import FeatureOrigin, OriginChanged, ParquetFolder, SqlTables
from serving.agent.snapshot_writer import FeaturesRefused
from tests.view_catalog.shopper.definition import DEFINITION as SHOPPER
from tests.view_catalog.shopper.definition import Habits
from training.errors import FeatureStoreFailed
from training.features.feature_set import FeatureSet, feature_set
from training.features.feature_stores import feature_store

assert SHOPPER.view is not None
ROWS = ViewRows(SHOPPER.view)


class Narrower(Habits):
    """The same columns, another bound."""

    spent: float = Field(ge=0, le=10)


OTHER = ViewRows(FeatureView(name="habits", key="user_id", row=Narrower))


def a_set(*keys: str, spent: float = 1.0, rows: ViewRows = ROWS) -> FeatureSet:
    frame = pd.DataFrame(
        {
            "user_id": list(keys),
            "spent": [spent + place for place in range(len(keys))],
            "visits": range(len(keys)),
            "days_between": [nan if place % 2 else 7.0 for place in range(len(keys))],
        }
    )
    return feature_set(rows, frame)


class Home:
    """Both sides of one place."""

    def __init__(self, url: str, origin: FeatureOrigin) -> None:
        self.url, self.store, self.origin = url, feature_store(url), origin

    def read(self, rows: ViewRows = ROWS) -> dict[str, list[float]]:
        edition = self.origin.edition(rows)
        assert edition is not None
        with self.origin.read(rows, edition) as batches:
            return {
                key: row for keys, numbers in batches for key, row in zip(keys, numbers.tolist(), strict=True)
            }

    def mark(self) -> str:
        edition = self.origin.edition(ROWS)
        assert edition is not None
        return edition.mark


@pytest.fixture(params=["parquet", "sqlite", "postgresql"])
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Home]:
    if request.param == "parquet":
        yield Home(str(tmp_path / "online"), ParquetFolder(tmp_path / "online"))
        return
    url = f"sqlite:///{tmp_path / 'features.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("empty_postgres_url")
    engine = open_engine(url)
    yield Home(url, SqlTables(engine))
    engine.dispose()


def same(read: dict[str, list[float]], written: FeatureSet) -> bool:
    matrix = np.array([read[key] for key in written.keys])
    return set(read) == set(written.keys) and np.array_equal(matrix, written.numbers, equal_nan=True)


def test_every_row_comes_through_as_it_was_written(home: Home) -> None:
    written = a_set(*(f"u{number}" for number in range(25_000)), "é", "a'b\"c", "x" * 300)
    assert home.store.replace(written)
    assert same(home.read(), written)


def test_where_nothing_was_materialised_there_is_no_edition(home: Home) -> None:
    assert home.origin.edition(ROWS) is None


def test_an_equal_set_is_left_alone(home: Home) -> None:
    home.store.replace(a_set("ada", "bob"))
    mark = home.mark()
    assert not home.store.replace(a_set("ada", "bob"))
    assert home.mark() == mark


def test_a_new_set_is_another_edition_and_entities_that_are_gone_are_gone(home: Home) -> None:
    home.store.replace(a_set("ada", "bob"))
    mark = home.mark()
    fresh = a_set("bob", "eve", spent=5.0)
    assert home.store.replace(fresh)
    assert home.mark() != mark
    assert same(home.read(), fresh)


def test_a_set_written_for_another_schema_is_refused(home: Home) -> None:
    home.store.replace(a_set("ada", rows=OTHER))
    with pytest.raises(FeaturesRefused, match="another schema"):
        home.read()


def test_readers_of_a_set_that_is_being_replaced_see_one_set_or_notice(home: Home) -> None:
    sets = [a_set("ada", "bob", "eve", spent=float(number)) for number in range(1, 12)]
    home.store.replace(sets[0])
    writer = threading.Thread(target=lambda: [home.store.replace(each) for each in sets[1:]])
    writer.start()
    read: list[dict[str, list[float]]] = []
    noticed = 0
    while writer.is_alive() or not read:
        try:
            read.append(home.read())
        except OriginChanged:
            noticed += 1
    writer.join()
    assert all(any(same(each, written) for written in sets) for each in read)
    assert same(home.read(), sets[-1])


def test_no_half_written_file_is_left_behind(tmp_path: Path) -> None:
    feature_store(str(tmp_path)).replace(a_set("ada"))
    assert [path.name for path in tmp_path.iterdir()] == ["habits.parquet"]


def test_a_file_that_somebody_else_wrote_is_taken_when_its_columns_fit(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"spent": [1, 2], "user_id": ["ada", "bob"], "visits": [3, 4], "days_between": [None, 1.5]}
    )
    frame.to_parquet(tmp_path / "habits.parquet", index=False, row_group_size=1)
    read = Home(str(tmp_path), ParquetFolder(tmp_path)).read()
    assert read["bob"] == [2.0, 4.0, 1.5]
    assert read["ada"][:2] == [1.0, 3.0]


@pytest.mark.parametrize(
    "columns",
    [
        {"user_id": ["a"], "spent": [1.0], "visits": [1]},
        {"user_id": ["a"], "spent": [1.0], "visits": [1], "days_between": [1.0], "more": [1.0]},
        {"user_id": ["a"], "spent": ["much"], "visits": [1], "days_between": [1.0]},
        {"user_id": [7], "spent": [1.0], "visits": [1], "days_between": [1.0]},
        {"user_id": [None], "spent": [1.0], "visits": [1], "days_between": [1.0]},
    ],
    ids=["a column is missing", "one too many", "text", "keys are numbers", "no key"],
)
def test_a_file_that_does_not_fit_the_view_is_refused(tmp_path: Path, columns: dict[str, Any]) -> None:
    pyarrow.parquet.write_table(pyarrow.table(columns), tmp_path / "habits.parquet")
    with pytest.raises(FeaturesRefused):
        Home(str(tmp_path), ParquetFolder(tmp_path)).read()


def test_a_file_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    feature_store(str(tmp_path)).replace(a_set("ada"))
    path = tmp_path / "habits.parquet"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(FeaturesRefused):
        Home(str(tmp_path), ParquetFolder(tmp_path)).read()
    feature_store(str(tmp_path)).replace(a_set("ada"))
    assert Home(str(tmp_path), ParquetFolder(tmp_path)).read()


def test_a_table_whose_columns_were_changed_by_hand_is_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'features.db'}"
    feature_store(url).replace(a_set("ada"))
    engine = open_engine(url)
    with engine.begin() as connection:
        table = feature_table("habits", "user_id", ROWS.names)
        connection.exec_driver_sql(f"ALTER TABLE {table.name} ADD COLUMN more FLOAT")
    with pytest.raises(FeaturesRefused, match="more"):
        Home(url, SqlTables(engine)).read()
    engine.dispose()


def test_a_write_that_fails_half_way_leaves_the_set_of_before(home: Home) -> None:
    home.store.replace(a_set("ada"))
    if "://" not in home.url:
        (Path(home.url) / "habits.parquet").rename(Path(home.url) / "kept.parquet")
        (Path(home.url) / "habits.parquet").mkdir()  # nothing can be renamed onto a folder
        with pytest.raises(FeatureStoreFailed, match="directory"):
            home.store.replace(a_set("bob"))
        assert len(list(Path(home.url).iterdir())) == 2
        return
    broken = FeatureSet(rows=ROWS, keys=["bob", "bob"], numbers=np.zeros((2, 3)))
    with pytest.raises(FeatureStoreFailed):
        home.store.replace(broken)
    assert list(home.read()) == ["ada"]
    assert home.store.replace(a_set("eve"))
    assert list(home.read()) == ["eve"]


@pytest.mark.parametrize("url", ["mysql://h/d", "http://h/x", "s3://bucket/x"])
def test_a_place_that_nobody_knows_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(FeatureStoreFailed) as refused:
        feature_store(url)
    assert url not in str(refused.value)
