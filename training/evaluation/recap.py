"""One line about each finished step, read from the files that it left."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow.parquet as pq

from modelkit.definition import ModelDefinition
from training.files import read_json
from training.layout import Layout


def _data(definition: ModelDefinition, layout: Layout) -> str:
    report, validation = read_json(layout.report), read_json(layout.validation)
    failed = sum(not finding["passed"] for finding in validation["findings"])
    return f"{report['used']} rows used, {report['split']}, {len(validation['findings'])} checks, {failed} failed"


def _features(definition: ModelDefinition, layout: Layout) -> str:
    table = pq.read_metadata(layout.features)
    return f"{table.num_rows} rows, {len(definition.feature_columns)} features"


def _training(definition: ModelDefinition, layout: Layout) -> str:
    facts = read_json(layout.training_facts)
    return f"{facts['rows']} rows in {facts['seconds']:.1f} s, at {facts['trained_at']}"


RECAPS: dict[str, Callable[[ModelDefinition, Layout], str]] = {
    "data": _data,
    "features": _features,
    "training": _training,
}
