"""Where features come from: replaced under load, not there yet, too old, or behind a Redis that stops."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pandas as pd
import pytest

from modelkit.definition import FeatureView
from modelkit.view_rows import ViewRows
from tests.front_service import FrontService
from tests.prediction_records import figure
from tests.redis_server import RedisServer
from tests.shop import HABITS, PLACES, USERS, Shop, until
from tests.tiny_features import KeyedRows, write_snapshot
from training.features.feature_set import feature_set
from training.features.feature_stores import feature_store


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = Shop(tmp_path)
    yield made
    made.close()


def test_a_snapshot_that_is_replaced_under_load_costs_no_request_and_gives_no_mixture(shop: Shop) -> None:
    """Every answer is right for one of the sets, in a batch all rows for the same set, and the newest is reached."""
    batch = {"instances": [{"user_id": "ada"}] * 5}
    sets = [[10.0 + number, 2.0, 3.0] for number in range(8)]
    right = [shop.right_answer(numbers) for numbers in sets]
    headers, answers = shop.token(), []

    async def scenario() -> None:
        for numbers in sets:
            shop.origin.put("habits", {"ada": numbers})
            await asyncio.to_thread(shop.sync.step)
            until = time.monotonic() + 0.4
            while time.monotonic() < until:
                asked = [shop.client.post("/predict/shopper", json=batch, headers=headers) for _ in range(8)]
                answers.extend(await asyncio.gather(*asked))

    shop.runner.run(scenario())
    assert {answer.status_code for answer in answers} == {200}
    seen = [{row["prediction"] for row in answer.json()["predictions"]} for answer in answers]
    assert {len(each) for each in seen} == {1}
    assert set().union(*seen) <= set(right)
    assert seen[-1] == {right[-1]}
    assert len(set().union(*seen)) > 3, "the newest set is served within a second"


def test_a_service_without_features_says_what_it_waits_for_and_serves_when_they_come(tmp_path: Path) -> None:
    shop = Waiting(tmp_path)
    until(shop, lambda: "habits" in shop.ask("GET", "/readyz").json()["reasons"]["shopper"])
    assert shop.ask("GET", "/readyz").status_code == 503
    answer = shop.predict({"user_id": "ada"}, "/predict/shopper")
    assert (answer.status_code, answer.json()["code"]) == (503, "model-not-ready")
    write_snapshot(HABITS, tmp_path / "store", USERS)
    write_snapshot(PLACES, tmp_path / "store", {"leeds": [3.0], "*": [9.0]})
    until(shop, lambda: shop.ask("GET", "/readyz").status_code == 200)
    assert shop.predict({"user_id": "ada"}, "/predict/shopper").status_code == 200
    shop.close()


class Waiting(FrontService):
    """Started without anything to look up."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, catalog="tests.view_catalog", features_url="unused", patient=False)


def test_features_older_than_allowed_are_used_counted_and_reported(tmp_path: Path) -> None:
    shop = Shop(tmp_path, features_max_age_seconds=60.0)  # those of the tests were written in 1970
    assert shop.shopper({"user_id": "ada"}).status_code == 200
    assert shop.looked_up("habits", "stale") == 1
    assert figure(shop.registry, "slipway_feature_snapshot_stale", view="habits") == 1
    assert figure(shop.registry, "slipway_feature_snapshot_age_seconds", view="habits") > 1e9
    shop.close()


def test_redis_as_the_source_degrades_as_promised(tmp_path: Path, redis_server: RedisServer) -> None:
    put(redis_server.url, HABITS, USERS)
    put(redis_server.url, PLACES, {"leeds": [3.0], "*": [9.0]})
    shop = FrontService(
        tmp_path, catalog="tests.view_catalog", features_url=redis_server.url, redis_timeout_seconds=0.5
    )

    def ask(user: str) -> httpx.Response:
        return shop.predict({"user_id": user}, "/predict/shopper")

    assert [ask(user).status_code for user in ("ada", "eve")] == [200, 404]
    redis_server.stop()
    assert ask("ada").status_code == 200
    refused = ask("bob")
    assert (refused.status_code, refused.json()["code"]) == (503, "features-unavailable")
    assert refused.headers["retry-after"] == "1"
    assert shop.ask("GET", "/readyz").status_code == 200
    shop.worker.metrics.fold()
    for result, count in (("hit", 1), ("unknown", 1), ("stale", 1), ("unavailable", 1)):
        labels = {"view": "habits", "source": "redis", "result": result}
        assert figure(shop.registry, "slipway_feature_lookups_total", **labels) == count
    shop.close()


def put(url: str, view: FeatureView, rows: KeyedRows) -> None:
    names = list(view.row.model_fields)
    frame = pd.DataFrame([{view.key: key, **dict(zip(names, row, strict=True))} for key, row in rows.items()])
    feature_store(url).replace(feature_set(ViewRows(view), frame))
