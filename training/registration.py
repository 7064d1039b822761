"""The `register` command: what the stages left on disk becomes a version in the registry."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
from sqlalchemy import Engine

from modelkit.definition import ModelDefinition
from modelkit.servable import CARD, Card, load_servable
from training.errors import NotRegistered
from training.files import read_json
from training.fitting.pipeline_file import load_pipeline
from training.layout import Layout
from training.promotion.alias_ledger import REGISTER, AliasLedger, Move
from training.registry import EVALUATION, Registry
from training.retraining.inputs import inputs_digest
from training.version import (
    CANDIDATE,
    DATA_TAG,
    DIGEST_TAG,
    GIT_TAG,
    INPUTS_TAG,
    MEASURED,
    MODEL_TAG,
    RAW_TAG,
    SYNTHETIC,
    UNKNOWN,
    Registration,
    Version,
)

EXAMPLE_ROWS = 5


@dataclass(frozen=True, kw_only=True)
class Registered:
    """A version in the registry, which is the candidate unless it was withdrawn before."""

    version: Version

    def sentence(self) -> str:
        said = f"{self.version.registry_name} version {self.version.number}"
        if self.version.withdrawn is None:
            return f"{said} is the candidate"
        return f"{said} is this very artifact and was withdrawn on {self.version.withdrawn}; it is no candidate again"


def register(
    definition: ModelDefinition, layout: Layout, registry: Registry, ledger: Engine, *, actor: str
) -> Registered:
    """A version, verified as serving will verify it, with the alias `candidate` on it and a row of the ledger.

    A servable that is registered already gets no second version; one that was withdrawn is not proposed again.
    """
    version = registry.add(registration_of(definition, layout))
    if version.withdrawn is not None:
        return Registered(version=version)
    aliases = AliasLedger(definition, registry, ledger)
    before = aliases.holder(CANDIDATE)
    if before is None or before.number != version.number:
        aliases.move(
            before, version, Move(alias=CANDIDATE, actor=actor, reason="registered", action=REGISTER)
        )
    return Registered(version=version)


def registration_of(definition: ModelDefinition, layout: Layout) -> Registration:
    """What the stages left on disk. Raises NotRegistered before they ran."""
    for path in (layout.servable / CARD, layout.page, layout.card):
        if not path.exists():
            raise NotRegistered(f"{path} is not there yet: run `dvc repro`")
    servable = load_servable(layout.servable, definition)
    return _registration(definition, layout, servable.card, servable.digest)


def _registration(definition: ModelDefinition, layout: Layout, card: Card, digest: str) -> Registration:
    pipeline = load_pipeline(layout.pipeline)
    example = _example(definition, layout)
    judged = (
        *(layout.metrics, layout.slices, layout.compile_metrics, layout.report, layout.test_rows),
        *(layout.training_facts, layout.evaluated_model),
    )
    for_people = (layout.page, layout.card)
    plots = sorted([*layout.plots.iterdir(), *layout.pictures.glob("*.png")])
    return Registration(
        model=definition.name,
        registry_name=definition.registry_name,
        pipeline=pipeline,
        example=example,
        answer=pipeline.predict(example),
        params=card.params,
        metrics=card.metrics | {"training.seconds": card.training_seconds},
        tags={
            MODEL_TAG: definition.name,
            DIGEST_TAG: digest,
            GIT_TAG: card.git_sha,
            DATA_TAG: card.data_hash,
            RAW_TAG: _raw_data(layout),
            INPUTS_TAG: inputs_digest(definition, data_hash=card.data_hash, params=card.params),
        },
        servable=layout.servable,
        evidence=(
            *((EVALUATION, path) for path in (*judged, *for_people)),
            *(("plots", path) for path in plots),
        ),
    )


def _raw_data(layout: Layout) -> str:
    """As the stage `prepare` found it; rows that an earlier project prepared do not say."""
    said = {True: SYNTHETIC, False: MEASURED}
    return said.get(read_json(layout.report).get("synthetic"), UNKNOWN)


def _example(definition: ModelDefinition, layout: Layout) -> pd.DataFrame:
    """Float64 throughout: MLflow takes no gaps in an integer column, and refuses 1.5 where it once saw 1."""
    features = pd.read_parquet(layout.features)
    rows = features.loc[features["split"] == "test", list(definition.feature_columns)]
    return rows.head(EXAMPLE_ROWS).astype("float64").reset_index(drop=True)
