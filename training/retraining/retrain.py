"""Retraining without anybody watching: new data in, a judged candidate out, and never anything that serves.

Safe to repeat and to interrupt: what it is about is the digest of its inputs, which the registered version carries.
"""

from __future__ import annotations

import dataclasses
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import msgspec
from sqlalchemy import Engine

from modelkit.definition import ModelDefinition
from modelkit.servable import CARD, Card
from training.errors import RetrainedVersionRefused
from training.files import sha256_of
from training.layout import Layout
from training.params import ModelParams, flat
from training.promotion.alias_ledger import RETRAIN, AliasLedger, Move
from training.promotion.judging import Rules, VersionJudge
from training.promotion.move_lock import one_retraining_at_a_time
from training.promotion.verdict import Verdict
from training.registration import registration_of
from training.registry import SERVABLE, Registry
from training.retraining.drift_signal import Drift
from training.retraining.inputs import inputs_digest
from training.retraining.retrain_report import Report
from training.version import CANDIDATE, DATA_TAG, INPUTS_TAG, PRODUCTION, RETRAINING_TAG, Version

OPEN, PASSED, FAILED = "open", "passed", "failed"


class Pipeline(Protocol):
    """From raw files to a servable on disk."""

    def fetch(self) -> None: ...

    def prepare(self) -> None: ...

    def train(self) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Order:
    """Who wants it and why. With `only_if_drift` nothing happens unless a column drifted or the data are new."""

    actor: str
    reason: str = ""
    drift: Drift | None = None
    only_if_drift: bool = False

    def said(self) -> str:
        parts = [self.reason, self.drift.sentence() if self.drift else ""]
        return "; ".join(part for part in parts if part)


class Retraining:
    """The retraining of one model."""

    def __init__(
        self,
        definition: ModelDefinition,
        registry: Registry,
        ledger: Engine,
        pipeline: Pipeline,
        *,
        rules: Rules,
    ) -> None:
        self._definition = definition
        self._registry = registry
        self._ledger = ledger
        self._pipeline = pipeline
        self._judge = VersionJudge(definition, registry, ledger, rules)
        self._aliases = AliasLedger(definition, registry, ledger)
        self._reports = rules.reports

    def run(self, order: Order, params: ModelParams, layout: Layout) -> str:
        """What was done. Raises RetrainingRuns where another one is at work, RetrainedVersionRefused for failed gates."""
        with one_retraining_at_a_time(self._ledger, self._definition.name):
            self._pipeline.fetch()
            self._pipeline.prepare()
            data_hash = f"sha256:{sha256_of(layout.rows)}"
            drifted = order.drift is not None and order.drift.drifted
            if order.only_if_drift and not drifted and self._learned_from(data_hash):
                return "nothing to do: a version has learned from these data, and no column drifted"
            inputs = inputs_digest(
                self._definition,
                data_hash=data_hash,
                params=flat({"prepare": params.prepare, "train": params.train}),
            )
            version = self._made_of(inputs)
            if version is None:
                version = self._train(layout)
            if version.withdrawn is not None or version.tags.get(RETRAINING_TAG) != OPEN:
                return self._nothing_new(version)
            return self._judge_and_keep(version, order)

    def _learned_from(self, data_hash: str) -> bool:
        """Whether a version that was judged, or registered by hand, has seen these rows."""
        versions = self._registry.versions(self._definition.registry_name)
        tags = [version.tags for version in versions if version.tags.get(RETRAINING_TAG) != OPEN]
        return any(found.get(DATA_TAG) == data_hash for found in tags)

    def _made_of(self, inputs: str) -> Version | None:
        versions = self._registry.versions(self._definition.registry_name)
        return next((version for version in versions if version.tags.get(INPUTS_TAG) == inputs), None)

    def _nothing_new(self, version: Version) -> str:
        verdict = ", which failed its gates" if version.tags.get(RETRAINING_TAG) == FAILED else ""
        if version.withdrawn is not None:
            verdict = f", which was withdrawn on {version.withdrawn}"
        aliases = f" ({', '.join(version.aliases)})" if version.aliases else ""
        return f"nothing new: version {version.number}{aliases} was made of the same data, knobs and code{verdict}"

    def _train(self, layout: Layout) -> Version:
        self._pipeline.train()
        new = registration_of(self._definition, layout)
        return self._registry.add(dataclasses.replace(new, tags={**new.tags, RETRAINING_TAG: OPEN}))

    def _judge_and_keep(self, version: Version, order: Order) -> str:
        """Gates decide about the alias; whatever they say, the verdict stays with the version."""
        before = self._aliases.holder(CANDIDATE)
        beside = self._aliases.holder(PRODUCTION) or before
        verdict = self._judge.judge(version, CANDIDATE)
        report = self._report(order, version, beside, verdict)
        if self._reports is not None:
            report.write(self._reports)
        if verdict.failed:
            self._registry.tag(version, RETRAINING_TAG, FAILED)
            raise RetrainedVersionRefused(report.sentence())
        move = Move(
            alias=CANDIDATE,
            actor=order.actor,
            reason=order.said() or "retrained",
            action=RETRAIN,
            report=verdict.document(),
        )
        if before is None or before.number != version.number:
            self._aliases.move(before, version, move)
        self._registry.tag(version, RETRAINING_TAG, PASSED)
        return report.sentence()

    def _report(self, order: Order, version: Version, beside: Version | None, verdict: Verdict) -> Report:
        return Report(
            model=self._definition.name,
            reason=order.said(),
            drift=dict(order.drift.columns) if order.drift else {},
            version=version.number,
            beside=beside.number if beside else None,
            new=self._card(version),
            old=self._card(beside) if beside else None,
            verdict=verdict,
        )

    def _card(self, version: Version) -> Card:
        with tempfile.TemporaryDirectory() as folder:
            path = self._registry.download(version, f"{SERVABLE}/{CARD}", Path(folder))
            return msgspec.json.decode(path.read_bytes(), type=Card)
