"""A trained product's fitted pipeline for the peers: the very estimator that was compiled for Slipway."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bench.errors import BenchError
from modelkit.definition import ModelDefinition
from modelkit.rows import RowReader


def write_peer_estimator(definition: ModelDefinition, trained: Path, peers: Path) -> dict[str, float]:
    """Writes `model.joblib` and `columns.json`; gives the feature columns of the definition's first example."""
    import joblib
    import skops.io

    source = trained / "pipeline" / "pipeline.skops"
    if not source.exists():
        raise BenchError(f"{definition.name}: its fitted pipeline is missing; run `make train`")
    # Written by our own training on this machine: as trusted as the code that reads it.
    pipeline = skops.io.load(source, trusted=skops.io.get_untrusted_types(file=source))
    pipeline.set_params(**one_thread(pipeline.get_params()))
    peers.mkdir(parents=True, exist_ok=True)
    joblib.dump(pipeline, peers / "model.joblib")
    columns = definition.feature_columns
    (peers / "columns.json").write_text(json.dumps({name: "number" for name in columns}, indent=2))
    return features_of_first_example(definition)


def one_thread(parameters: dict[str, Any]) -> dict[str, Any]:
    """On one core a pool of threads only costs: peers are better off without."""
    names = ("n_jobs", "thread_count")
    return {name: 1 for name in parameters if name.rpartition("__")[2] in names}


def features_of_first_example(definition: ModelDefinition) -> dict[str, float]:
    reader = RowReader(definition.request)
    built = definition.build(reader.columns([reader.from_object(dict(definition.examples[0]))]))
    return {name: float(built[name][0]) for name in definition.feature_columns}
