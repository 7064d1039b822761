"""A service whose models look features up, over the catalog of the tests, with a set of rows that may be replaced."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from modelkit.definition import FeatureView, load_catalog
from modelkit.view_rows import ViewRows
from serving.agent.features import FeatureSync
from serving.agent.metrics import AgentMetrics
from serving.feature_snapshot import SnapshotStore
from tests.front_service import FrontService
from tests.prediction_records import figure
from tests.tiny_features import KeyedRows, MemoryOrigin, write_snapshot

CATALOG = load_catalog("tests.view_catalog")
PATIENCE_SECONDS = 20.0


def view_of(model: str) -> FeatureView:
    view = CATALOG[model].view
    assert view is not None
    return view


HABITS, PLACES = view_of("shopper"), view_of("stall")
USERS: KeyedRows = {"ada": [10.0, 2.0, 3.0], "bob": [20.0, 4.0, float("nan")]}


class Shop(FrontService):
    """The service over the catalog of the tests, with a set of rows that may be replaced."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        store = folder / "store"
        write_snapshot(HABITS, store, USERS)
        write_snapshot(PLACES, store, {"leeds": [3.0], "*": [9.0]})
        super().__init__(folder, catalog="tests.view_catalog", features_url="unused", **settings)
        self.origin = MemoryOrigin({"habits": USERS})
        self.sync = FeatureSync(self.origin, SnapshotStore(store), {"habits": HABITS}, AgentMetrics())

    def shopper(self, body: Any) -> httpx.Response:
        return self.predict(body, "/predict/shopper")

    def rows_logged(self) -> list[dict[str, Any]]:
        return [json.loads(bytes(record.features)) for record in self.logged()]

    def looked_up(self, view: str, result: str, source: str = "snapshot") -> float:
        self.worker.metrics.fold()
        labels = {"view": view, "source": source, "result": result}
        return figure(self.registry, "slipway_feature_lookups_total", **labels)

    def right_answer(self, numbers: list[float], user: str = "ada") -> float:
        model = self.worker.board.current("shopper")
        values = {k: v for k, v in ViewRows(HABITS).values(numbers).items() if v is not None}
        (outcome,) = model.predict([model.rows.from_object({"user_id": user, **values})])
        assert isinstance(outcome.prediction, float)
        return outcome.prediction


def replace(shop: Shop, *, rows: int) -> None:
    shop.sync.step()
    until(shop, lambda: figure(shop.registry, "slipway_feature_snapshot_rows", view="habits") == rows)


def until(service: FrontService, fact: Callable[[], bool]) -> None:
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while not fact():
        assert time.monotonic() < give_up_at, "it does not come true"
        service.runner.run(asyncio.sleep(0.05))
