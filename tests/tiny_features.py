"""Features of entities for tests: rows of a view, whole rows of a model, and snapshots as the agent compiles them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from modelkit.definition import FeatureView, ModelDefinition
from modelkit.view_rows import ViewRows
from serving.agent.feature_origins import Batch, Edition
from serving.agent.features import FeatureSync
from serving.agent.metrics import AgentMetrics
from serving.feature_snapshot import SnapshotStore

KeyedRows = Mapping[str, list[float]]


class MemoryOrigin:
    """FeatureOrigin over rows by view name; `editions` counts the sets that were put there."""

    def __init__(self, sets: Mapping[str, KeyedRows]) -> None:
        self.sets, self.editions, self.reads = dict(sets), 1, 0

    def put(self, view: str, rows: KeyedRows) -> None:
        self.sets[view] = rows
        self.editions += 1

    def edition(self, rows: ViewRows) -> Edition | None:
        if rows.view.name not in self.sets:
            return None
        return Edition(mark=str(self.editions), written_at=1_000.0)

    @contextmanager
    def read(self, rows: ViewRows, edition: Edition) -> Iterator[Iterator[Batch]]:
        self.reads += 1
        kept = self.sets[rows.view.name]
        keys = list(kept)
        numbers = np.array(list(kept.values()), dtype=np.float64).reshape(len(keys), len(rows.names))
        yield iter([(keys, numbers)])


def write_snapshot(view: FeatureView, root: Path, rows: KeyedRows) -> SnapshotStore:
    """A snapshot under a model store's root."""
    store = SnapshotStore(root)
    FeatureSync(MemoryOrigin({view.name: rows}), store, {view.name: view}, AgentMetrics()).step()
    assert store.read_pointer(view.name) is not None, "the snapshot was refused"
    return store


def example_row(definition: ModelDefinition, example: Mapping[str, Any]) -> dict[str, Any]:
    """The whole row of an example request, with some number in each field of the view."""
    if definition.view is None:
        return dict(example)
    rows = ViewRows(definition.view)
    return {**example, **rows.values(some_numbers(definition.view))}


def some_numbers(view: FeatureView) -> list[float]:
    return [_some_number(info.metadata) for info in view.row.model_fields.values()]


def example_features(definition: ModelDefinition) -> KeyedRows:
    """A row for the entity of every example, and for the default key."""
    view = definition.view
    assert view is not None
    keys = [example.get(view.key) for example in definition.examples]
    return {key: some_numbers(view) for key in (*keys, view.default_key) if key is not None}


def _some_number(metadata: list[Any]) -> float:
    lowest = [float(getattr(item, "ge", getattr(item, "gt", 0.0)) or 0.0) for item in metadata]
    return max([*lowest, 0.0]) + 1.0
