"""What a promotion would find, as a document for whoever decides elsewhere: a pull request, or a person with an editor."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from modelkit.servable import CARD, Card
from training.errors import PromotionRefused
from training.promotion.verdict import Verdict
from training.registry import EVALUATION, SERVABLE, Registry
from training.version import DATA_TAG, GIT_TAG, Version

MODEL_CARD = f"{EVALUATION}/CARD.md"


@dataclass(frozen=True, kw_only=True)
class Rehearsal:
    """A judged version, and the one that it would replace."""

    model: str
    alias: str
    version: Version
    before: Version | None
    verdict: Verdict

    def sentence(self) -> str:
        """Raises PromotionRefused, naming every failed gate and by how much it failed."""
        refuse_failed(self.version, self.verdict)
        lines = [f"  {line}" for line in self.verdict.lines()]
        return "\n".join([f"version {self.version.number} may go to {self.alias}; nothing was moved", *lines])

    def document(self, registry: Registry) -> dict[str, Any]:
        """Every gate with the figures of both versions, where the new one comes from, and its model card."""
        before = {} if self.before is None else _figures(registry, self.before)
        found = self.verdict.document()
        return {
            "model": self.model,
            "alias": self.alias,
            "version": self.version.number,
            "before": self.before.number if self.before else None,
            "passed": not self.verdict.failed,
            "gates": [gate | {"before": before.get(gate["metric"])} for gate in found["gates"]],
            "notes": found["notes"],
            "replay": found["replay"]["sentence"],
            "run": self.version.run_id,
            "commit": self.version.tags.get(GIT_TAG),
            "data": self.version.tags.get(DATA_TAG),
            "raw": self.version.raw_data,
            "card": _model_card(registry, self.version),
        }


def refuse_failed(version: Version, verdict: Verdict) -> None:
    if verdict.failed:
        failed = "; ".join(result.sentence() for result in verdict.failed)
        raise PromotionRefused(f"version {version.number} stays where it is: {failed}")


def _figures(registry: Registry, version: Version) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        path = registry.download(version, f"{SERVABLE}/{CARD}", Path(folder))
        return msgspec.json.decode(path.read_bytes(), type=Card).metrics


def _model_card(registry: Registry, version: Version) -> str | None:
    if not registry.holds(version, MODEL_CARD):
        return None
    with tempfile.TemporaryDirectory() as folder:
        return registry.download(version, MODEL_CARD, Path(folder)).read_text()
