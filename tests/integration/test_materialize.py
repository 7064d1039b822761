"""`materialize` and the agent's own process: from a recipe's frame to a snapshot that a worker would map."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pandas as pd
import pytest

from modelkit.tally import RowTally
from modelkit.view_rows import ViewRows
from serving.adapters.snapshot_features import Snapshot, open_snapshot
from serving.feature_snapshot import SnapshotStore
from tests.architecture.source_tree import ROOT
from tests.view_catalog.shopper.definition import DEFINITION as SHOPPER
from training.errors import FeaturesInvalid, TrainingError
from training.features.feature_set import feature_set
from training.features.materialize import materialize
from training.recipes import Recipe

assert SHOPPER.view is not None
VIEW, ROWS = SHOPPER.view, ViewRows(SHOPPER.view)
RAW = Path("raw")
PATIENCE_SECONDS = 30.0


class Orders:
    """A recipe over (user, day, value): what a user has spent before a moment."""

    def __init__(self, *orders: tuple[str, str, float]) -> None:
        self.orders = pd.DataFrame(orders, columns=["user_id", "time", "value"])
        self.orders["time"] = pd.to_datetime(self.orders["time"], format="ISO8601")
        self.asked: list[pd.Timestamp] = []

    def labelled(self, raw: Path) -> tuple[pd.DataFrame, RowTally]:
        return self.orders.assign(known_at=self.orders["time"]), RowTally()

    def materialise(self, raw: Path, as_of: pd.Timestamp) -> pd.DataFrame:
        self.asked.append(as_of)
        before = self.orders[self.orders["time"] < as_of].groupby("user_id")["value"]
        rows = pd.DataFrame({"spent": before.sum(), "visits": before.count(), "days_between": None})
        return rows.reset_index()


def run(recipe: Any, url: Path | str, **when: pd.Timestamp) -> str:
    return materialize(VIEW, cast(Recipe, recipe), RAW, str(url), **when)


ORDERS = Orders(("ada", "2011-11-01", 5.0), ("ada", "2011-11-20 18:00", 7.0), ("bob", "2011-11-02", 9.0))


def test_everything_that_the_data_knows_counts(tmp_path: Path) -> None:
    assert "2 rows of habits as of 2011-11-20 18:00, written" in run(ORDERS, tmp_path)
    frame = pd.read_parquet(tmp_path / "habits.parquet").set_index("user_id")
    assert frame.loc["ada", ["spent", "visits"]].tolist() == [12.0, 2.0]
    assert frame["days_between"].isna().all()


def test_features_can_be_had_as_of_an_earlier_moment(tmp_path: Path) -> None:
    run(ORDERS, tmp_path, as_of=pd.Timestamp("2011-11-20"))
    frame = pd.read_parquet(tmp_path / "habits.parquet").set_index("user_id")
    assert frame.loc["ada", "spent"] == 5.0


def test_a_second_run_finds_nothing_to_do(tmp_path: Path) -> None:
    run(ORDERS, tmp_path)
    before = (tmp_path / "habits.parquet").stat()
    assert run(ORDERS, tmp_path).endswith("unchanged")
    after = (tmp_path / "habits.parquet").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_recipe_that_cannot_materialise_is_named_as_the_reason(tmp_path: Path) -> None:
    class Without:
        labelled = ORDERS.labelled

    with pytest.raises(TrainingError, match="no `materialise`"):
        run(Without(), tmp_path)


def good() -> pd.DataFrame:
    return pd.DataFrame(
        {"user_id": ["bob", "ada"], "spent": [1.0, 2.0], "visits": [1, 2], "days_between": None}
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda frame: frame.drop(columns="visits"), "visits"),
        (lambda frame: frame.assign(more=1.0), "more"),
        (lambda frame: frame.assign(user_id="ada"), "more than one row"),
        (lambda frame: frame.assign(user_id=[1, 2]), "must be text"),
        (lambda frame: frame.assign(user_id=["ada", None]), "must be text"),
        (lambda frame: frame.assign(spent=-1.0), "2 rows are not valid: row 0: .*spent"),
        (lambda frame: frame.assign(visits=[1.5, 2.0]), "visits"),
        (lambda frame: frame.assign(spent=None), "spent"),
        (lambda frame: frame.assign(spent=["much", "little"]), "no numbers"),
        (lambda frame: frame.iloc[:0], "must be text"),
    ],
)
def test_rows_that_are_not_of_the_view_are_refused(change: Any, message: str) -> None:
    with pytest.raises(FeaturesInvalid, match=message):
        feature_set(ROWS, change(good()))


def test_the_order_of_rows_and_columns_does_not_make_another_set() -> None:
    one, two = good(), good().iloc[::-1][["spent", "user_id", "days_between", "visits"]]
    assert feature_set(ROWS, one).digest == feature_set(ROWS, two).digest
    assert feature_set(ROWS, one).keys == ["ada", "bob"]
    changed = feature_set(ROWS, good().assign(spent=[1.0, 2.5]))
    assert changed.digest != feature_set(ROWS, one).digest


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The agent's program, following a folder."""
    environment = {
        **{name: value for name, value in os.environ.items() if "COV" not in name},
        **{"SLIPWAY_ENV": "dev", "CATALOG": "tests.view_catalog", "MODEL_SOURCE": "path"},
        **{"MODEL_PATH": str(tmp_path), "MODEL_STORE_DIR": str(tmp_path / "store")},
        **{"FEATURES_URL": str(tmp_path / "online"), "MODEL_POLL_SECONDS": "0.1", "AGENT_METRICS_PORT": "0"},
        **{"SPOOL_DIR": str(tmp_path / "spool"), "DATABASE_URL": f"sqlite:///{tmp_path / 'records.db'}"},
    }
    command = [sys.executable, "-m", "serving.agent", "--child"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.PIPE)
    yield process
    assert process.stdin is not None
    process.stdin.close()
    process.wait(20)


def served(root: Path, rows: int) -> Snapshot:
    """The snapshot that the agent points at, once it has so many rows."""
    store, give_up_at = SnapshotStore(root), time.monotonic() + PATIENCE_SECONDS
    while True:
        pointer = store.read_pointer("habits")
        if pointer is not None and pointer.meta.rows == rows:
            return open_snapshot(store.folder("habits") / pointer.file, ROWS, digest=pointer.digest)
        assert time.monotonic() < give_up_at, "the agent compiles nothing"
        time.sleep(0.05)


def test_the_agent_follows_what_is_materialised(tmp_path: Path, agent: subprocess.Popen[bytes]) -> None:
    online, store = tmp_path / "online", tmp_path / "store"
    run(ORDERS, online)
    first = served(store, 2).get("ada")
    assert first is not None
    assert first[:2] == [12.0, 2.0]
    (online / "habits.parquet").write_bytes(b"not Parquet")
    time.sleep(0.5)
    assert served(store, 2).get("ada") is not None, "what does not fit is refused, and the old one stays"
    run(Orders(("eve", "2011-12-01", 1.0)), online)
    assert served(store, 1).get("eve") is not None
    assert agent.poll() is None
