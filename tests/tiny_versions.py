"""Registered versions in a fraction of a second: a tiny servable with the figures that a test needs, and a bare pipeline."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlflow
import msgspec
import pandas as pd
from mlflow.models import Model, infer_signature

from modelkit.contract import Contract
from modelkit.definition import ModelDefinition
from modelkit.reference import Reference
from modelkit.servable import (
    CARD,
    CONTRACT,
    MODEL,
    REFERENCE,
    Card,
    servable_digest,
    write_servable,
)
from tests.tiny_servables import tiny_graph, write_tiny
from training.registry import EVALUATION, SERVABLE, Registry
from training.version import APPROVED_TAG, CANDIDATE, DIGEST_TAG, MEASURED, MODEL_TAG, RAW_TAG, Version


def passing_metrics(definition: ModelDefinition) -> dict[str, float]:
    """Figures that lie exactly on the limit of every gate."""
    return {
        gate.metric: float(gate.at_least if gate.at_least is not None else gate.at_most or 0.0)
        for gate in definition.gates
    }


def example_rows(definition: ModelDefinition) -> pd.DataFrame:
    """The definition's examples as test rows, all with the same label."""
    names = definition.row.model_fields
    rows = [{name: example.get(name) for name in names} for example in definition.examples]
    label = definition.classes[0] if definition.classes else 20.0
    return pd.DataFrame(rows, dtype=object).assign(label=label)


@dataclass(frozen=True, kw_only=True)
class Past:
    """What a version learned from. `bias` is that of its evaluation model; None: that of what serves."""

    trained_until: str | None = None
    evaluated_until: str | None = None
    data_hash: str = "none"
    bias: float | None = None
    evaluated: bool = True


NO_TIME = Past()


class TinyVersions:
    """Makes versions of one model at one tracking URI."""

    def __init__(
        self, definition: ModelDefinition, tracking_uri: str, folder: Path, *, artifacts: str = ""
    ) -> None:
        """`artifacts` is where MLflow keeps them: below the folder, or with the server behind the tracking URI."""
        self._definition, self._folder = definition, folder
        self._client = mlflow.MlflowClient(tracking_uri)
        self._registry = Registry(tracking_uri)
        self._client.create_registered_model(definition.registry_name)
        self._experiment = self._client.create_experiment(
            definition.name, artifacts or f"file://{folder / 'artifacts'}"
        )

    def make(
        self,
        *,
        bias: float = 0.0,
        metrics: Mapping[str, float] | None = None,
        signed: bool = True,
        approved: bool = False,
        test_rows: pd.DataFrame | None = None,
        past: Past = NO_TIME,
        raw_data: str = MEASURED,
    ) -> Version:
        """A version that passes every gate of the definition, but for what is asked for otherwise."""
        run_id = self._client.create_run(self._experiment).info.run_id
        with tempfile.TemporaryDirectory(dir=self._folder) as name:
            root = Path(name)
            digest = _servable(
                self._definition,
                root / SERVABLE,
                bias=bias,
                card={
                    "metrics": passing_metrics(self._definition) | dict(metrics or {}),
                    "trained_until": past.trained_until,
                    "data_hash": past.data_hash,
                },
            )
            _pipeline(self._definition, root / "pipeline", signed=signed)
            _evaluation(self._definition, root / EVALUATION, past, bias=bias)
            rows = example_rows(self._definition) if test_rows is None else test_rows
            rows.to_parquet(root / EVALUATION / "test_rows.parquet")
            self._client.log_artifacts(run_id, str(root))
        tags = {MODEL_TAG: self._definition.name, DIGEST_TAG: digest, RAW_TAG: raw_data}
        made = self._client.create_model_version(
            self._definition.registry_name,
            f"runs:/{run_id}/pipeline",
            run_id,
            tags=tags | ({APPROVED_TAG: "true"} if approved else {}),
        )
        return self._registry.by_number(self._definition.registry_name, str(made.version))

    def candidate(self, **changes: object) -> Version:
        version = self.make(**changes)  # type: ignore[arg-type]
        self._registry.move_alias(version, CANDIDATE)
        return version


def _evaluation(definition: ModelDefinition, folder: Path, past: Past, *, bias: float) -> None:
    """The model that was judged, and until when its rows reached."""
    folder.mkdir()
    if past.evaluated:
        graph = tiny_graph(definition, bias=bias if past.bias is None else past.bias)
        (folder / "model.onnx").write_bytes(graph)
        facts = {"evaluated": {"trained_until": past.evaluated_until}}
        (folder / "train.json").write_bytes(msgspec.json.encode(facts))


def _servable(definition: ModelDefinition, folder: Path, *, bias: float, card: Mapping[str, Any]) -> str:
    write_tiny(definition, folder, bias=bias)
    before = msgspec.json.decode((folder / CARD).read_bytes(), type=Card)
    write_servable(
        folder,
        graph=(folder / MODEL).read_bytes(),
        contract=msgspec.json.decode((folder / CONTRACT).read_bytes(), type=Contract),
        reference=msgspec.json.decode((folder / REFERENCE).read_bytes(), type=Reference),
        card=msgspec.structs.replace(before, **card),
    )
    return servable_digest(folder)


def _pipeline(definition: ModelDefinition, folder: Path, *, signed: bool) -> None:
    """The description of a logged model is all that a promotion reads of it."""
    folder.mkdir()
    row = pd.DataFrame([[0.5] * len(definition.feature_columns)], columns=list(definition.feature_columns))
    described = Model(signature=infer_signature(row) if signed else None)
    described.add_flavor("python_function", loader_module="none", env={})
    described.save(str(folder / "MLmodel"))
