"""What a retraining changed, for the person who decides about the candidate: data, figures, gates, replay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelkit.servable import Card
from training.files import write_json
from training.promotion.verdict import Verdict

FIGURES = ("overall.", "cross_validation.", "interval", "worst_slice.", "latency.p95", "size.")


@dataclass(frozen=True, kw_only=True)
class Report:
    """`old` is the card of the version `beside`: the one in production, or else the candidate before."""

    model: str
    reason: str
    drift: Mapping[str, float]
    version: str
    beside: str | None
    new: Card
    old: Card | None
    verdict: Verdict

    def sentence(self) -> str:
        if self.verdict.failed:
            failed = "; ".join(result.sentence() for result in self.verdict.failed)
            return f"version {self.version} is registered but no candidate: {failed}"
        return f"version {self.version} passed {len(self.verdict.results)} gates and is the candidate"

    def document(self) -> dict[str, Any]:
        return {
            "model": self.model,
            "reason": self.reason,
            "drift": dict(self.drift),
            "version": self.version,
            "compared_with": self.beside,
            "verdict": "refused" if self.verdict.failed else "candidate",
            "data": {"new": _data(self.new), "old": _data(self.old) if self.old else None},
            "figures": self.figures(),
            **self.verdict.document(),
        }

    def figures(self) -> dict[str, dict[str, float | None]]:
        """Old and new, for the figures that a person would look at first."""
        old = self.old.metrics if self.old else {}
        return {
            name: {"old": old.get(name), "new": value}
            for name, value in sorted(self.new.metrics.items())
            if name.startswith(FIGURES)
        }

    def write(self, folder: Path) -> None:
        """`retrain-<model>.json` and `.md`, in place of those of the retraining before."""
        write_json(folder / f"retrain-{self.model}.json", self.document())
        (folder / f"retrain-{self.model}.md").write_text("\n".join(self._markdown()) + "\n")

    def _markdown(self) -> list[str]:
        old, new = f"version {self.beside or '-'}", f"version {self.version}"
        data = self.document()["data"]
        before = data["old"] or {}
        rows = [
            f"| {name} | {before.get(name, '-')} | {value} |" for name, value in sorted(data["new"].items())
        ]
        figures = [
            f"| `{name}` | {_said(pair['old'])} | {_said(pair['new'])} |"
            for name, pair in self.figures().items()
        ]
        return [
            f"# Retraining of {self.model}",
            "",
            self.sentence() + ".",
            *(["", f"Why: {self.reason}."] if self.reason else []),
            *("", "## Data", "", f"| | {old} | {new} |", "|---|---|---|", *rows),
            *("", "## Figures", "", f"| | {old} | {new} |", "|---|---|---|", *figures),
            *("", "## Gates", "", *self.verdict.markdown()),
        ]


def _data(card: Card) -> dict[str, Any]:
    return {"hash": card.data_hash[:19], **{f"{name} rows": count for name, count in card.rows.items()}}


def _said(value: float | None) -> str:
    return "-" if value is None else f"{value:.5g}"
