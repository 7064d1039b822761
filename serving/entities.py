"""What requests only name: the features of their entities, looked up after validation and before the cache (DESIGN 4)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import asdict

from modelkit.definition import FeatureView
from modelkit.errors import FeaturesUnavailable, ModelNotReady
from modelkit.view_rows import Numbers, ViewRows
from serving.loaded_model import LoadedModel
from serving.metrics import Metrics
from serving.ports import FeatureSource, LookedUp

LOOK_SECONDS = 0.25


class Entities:
    """One source per view, by the view's name. Models without a view never come here."""

    def __init__(
        self,
        views: Mapping[str, FeatureView],
        metrics: Metrics,
        *,
        max_age_seconds: float = 0.0,
    ) -> None:
        self._rows = {name: ViewRows(view) for name, view in views.items()}
        self._sources: dict[str, FeatureSource] = {}
        self._metrics, self._max_age = metrics, max_age_seconds
        self._stale: set[str] = set()

    @property
    def rows(self) -> Mapping[str, ViewRows]:
        return self._rows

    def attach(self, view: str, source: FeatureSource) -> None:
        self._sources[view] = source

    def unready(self, view: str) -> str:
        """Why the features of a view cannot be asked yet; empty when they can."""
        source = self._sources.get(view)
        return f"features {view}: no source yet" if source is None else source.reason

    async def complete(
        self, model: LoadedModel, requests: Sequence[msgspec.Struct]
    ) -> list[msgspec.Struct | None]:
        """The whole row of each request; None where its entity is unknown and nothing stands in for it.

        Raises ModelNotReady, or FeaturesUnavailable when the source is down and an entity was never seen.
        """
        view = model.definition.view
        assert view is not None
        if reason := self.unready(view.name):
            raise ModelNotReady(reason)
        keys = [getattr(request, view.key) for request in requests]
        found = await self._look_up(view, keys)
        make, values = model.rows.struct, self._rows[view.name].values
        return [
            None if numbers is None else make(**asdict(request), **values(numbers))
            for request, numbers in zip(requests, found, strict=True)
        ]

    async def _look_up(self, view: FeatureView, keys: list[str | None]) -> list[Numbers | None]:
        """One call of the source. The row that stands in for unknown entities is asked for with the others."""
        source = self._sources[view.name]
        asked = [key for key in keys if key is not None]
        if view.default_key is not None:
            asked.append(view.default_key)
        answered = source.get_many(asked)
        if isinstance(answered, Awaitable):
            answered = await answered
        stand_in = LookedUp(None, "unknown") if view.default_key is None else answered[-1]
        answers = iter(answered)
        found: list[Numbers | None] = []
        for key in keys:
            numbers, result = LookedUp(None, "unknown") if key is None else next(answers)
            if result == "unknown" and stand_in.result != "unknown":
                numbers, result = stand_in.numbers, _standing_in(stand_in.result)
            self._count(view.name, source.kind, result)
            if result == "unavailable":
                raise FeaturesUnavailable
            found.append(numbers)
        return found

    def _count(self, view: str, kind: str, result: str) -> None:
        if result == "hit" and view in self._stale:
            result = "stale"
        self._metrics.features_looked_up(view, kind, result)

    async def run(self) -> None:
        """Follows the sources until cancelled."""
        while True:
            await self.step()
            await asyncio.sleep(LOOK_SECONDS)

    async def step(self) -> None:
        for view, source in self._sources.items():
            await source.tend()
            self._publish(view, source)

    def _publish(self, view: str, source: FeatureSource) -> None:
        meta = source.meta
        if meta is None:
            return
        age = max(0.0, time.time() - meta.written_at)
        too_old = 0 < self._max_age < age
        (self._stale.add if too_old else self._stale.discard)(view)
        self._metrics.feature_rows.labels(view).set(meta.rows)
        self._metrics.feature_age.labels(view).set(age)
        self._metrics.feature_stale.labels(view).set(float(too_old))

    async def close(self) -> None:
        for source in self._sources.values():
            await source.close()


def _standing_in(result: str) -> Any:
    return "default" if result in ("hit", "stale") else result
