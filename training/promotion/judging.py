"""A version before its gates: everything that is known about it, measured or replayed, against every bound."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Engine

from modelkit.definition import ModelDefinition
from modelkit.gates import Gate, judge
from modelkit.servable import Servable
from records.logged_predictions import recent_predictions
from training.promotion import replay
from training.promotion.alias_ledger import AliasLedger
from training.promotion.champion import compare, fetch_servable
from training.promotion.ledger_session import said_of_the_log
from training.promotion.verdict import Verdict
from training.registry import Registry
from training.version import CANDIDATE, MEASURED, PRODUCTION, STAGING, Version

SIGNATURE = Gate(name="signature", metric="signature.present", at_least=1)
REAL_DATA = Gate(name="real data", metric="data.real", at_least=1)
STAGED = Gate(name="was in staging", metric="staging.reached", at_least=1)


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What a move has to fulfil beside the gates of its definition. `replay_rows` is None where it does without replay.

    `log` is where predictions are remembered, if not beside the ledger; `reports` the folder that keeps verdicts. What fulfils
    all of it is signed with `signing_key`, where there is one.
    """

    require_staging: bool = False
    replay_rows: int | None = 500
    only_real_data: bool = False
    log: Engine | None = None
    reports: Path | None = None
    signing_key: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class _Evidence:
    """Figures that no gate of the definition is about, and the gates that are about them."""

    metrics: dict[str, float] = field(default_factory=dict)
    gates: tuple[Gate, ...] = ()
    notes: tuple[str, ...] = ()


class VersionJudge:
    """Judges versions of one model, and keeps what it found with the version and in the reports."""

    def __init__(
        self, definition: ModelDefinition, registry: Registry, ledger: Engine, rules: Rules | None = None
    ) -> None:
        self._definition = definition
        self._registry = registry
        self._rules = rules or Rules()
        self._log = self._rules.log or ledger
        self._aliases = AliasLedger(definition, registry, ledger)

    def judge(self, version: Version, alias: str) -> Verdict:
        """Every gate of the definition, the signature, the champion, the way through staging, and the replay."""
        with tempfile.TemporaryDirectory() as folder:
            servable = fetch_servable(self._definition, self._registry, version, Path(folder))
        replayed = self._replay(servable)
        metrics = dict(servable.card.metrics) | (replayed.metrics if replayed else {})
        gates = [gate for gate in self._definition.gates if self._applies(gate, replayed)]
        found = (
            *(self._signature(version), self._real_data(version, alias)),
            *(self._champion(version), self._staging(version, alias)),
        )
        for evidence in found:
            metrics |= evidence.metrics
            gates += evidence.gates
        gates += [replay.GATE] if replayed else []
        notes = tuple(note for evidence in found for note in evidence.notes)
        verdict = Verdict(results=tuple(judge(gates, metrics)), replay=replayed, notes=notes)
        self._keep(version, alias, verdict)
        return verdict

    def _signature(self, version: Version) -> _Evidence:
        present = float(self._registry.has_signature(version))
        return _Evidence(metrics={SIGNATURE.metric: present}, gates=(SIGNATURE,))

    def _real_data(self, version: Version, alias: str) -> _Evidence:
        """A candidate may have learned from anything; what answers to callers may not."""
        if alias == CANDIDATE or not self._rules.only_real_data:
            return _Evidence()
        note = f"learned from {version.raw_data} raw data"
        real = float(version.raw_data == MEASURED)
        return _Evidence(metrics={REAL_DATA.metric: real}, gates=(REAL_DATA,), notes=(note,))

    def _champion(self, version: Version) -> _Evidence:
        """Whatever the alias: the version to be worth more than is the one that serves."""
        champion = self._aliases.holder(PRODUCTION)
        if champion is None or champion.number == version.number:
            return _Evidence()
        compared = compare(self._definition, self._registry, candidate=version, champion=champion)
        gates = (compared.gate,) if compared.gate else ()
        return _Evidence(metrics=compared.metrics, gates=gates, notes=(compared.note,))

    def _staging(self, version: Version, alias: str) -> _Evidence:
        if alias != PRODUCTION or not self._rules.require_staging:
            return _Evidence()
        reached = float(self._aliases.reached(version, STAGING))
        return _Evidence(metrics={STAGED.metric: reached}, gates=(STAGED,))

    def _replay(self, servable: Servable) -> replay.Replay | None:
        if self._rules.replay_rows is None:
            return None
        with said_of_the_log():
            logged = recent_predictions(self._log, self._definition.name, self._rules.replay_rows)
        return replay.replay(self._definition, servable, logged)

    def _applies(self, gate: Gate, replayed: replay.Replay | None) -> bool:
        """A bound on what a replay finds says nothing where there was nothing to replay."""
        return not gate.metric.startswith(replay.PREFIX) or bool(replayed and replayed.rows)

    def _keep(self, version: Version, alias: str, verdict: Verdict) -> None:
        self._registry.keep_report(version, alias, verdict.document())
        if self._rules.reports is not None:
            verdict.write(self._rules.reports, f"verdict-{self._definition.name}-{version.number}-{alias}")
