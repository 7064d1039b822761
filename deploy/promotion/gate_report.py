"""What `python -m training promote --dry-run --report FILE` found, as a table for whoever reviews the pull request."""

from __future__ import annotations

from pathlib import Path

import msgspec

from deploy.errors import PromotionImpossible


class GateFound(msgspec.Struct, frozen=True, kw_only=True):
    """One bound and what both versions have for it; None: not measured."""

    gate: str
    metric: str
    value: float | None
    limit: str
    passed: bool
    before: float | None = None


class GateReport(msgspec.Struct, frozen=True, kw_only=True):
    """One judged version, and the one that it would replace."""

    model: str
    alias: str
    version: str
    passed: bool
    gates: list[GateFound]
    notes: list[str]
    replay: str
    run: str
    before: str | None = None
    commit: str | None = None
    data: str | None = None
    raw: str = "unknown"
    card: str | None = None

    def expect(self, *, model: str, version: str) -> None:
        """Raises PromotionImpossible for a report about something else, and for a version that was refused."""
        if (self.model, self.version) != (model, version):
            raise PromotionImpossible(
                f"the report is about version {self.version} of {self.model}, not {version} of {model}"
            )
        if not self.passed:
            failed = ", ".join(gate.gate for gate in self.gates if not gate.passed)
            raise PromotionImpossible(
                f"version {version} of {model} fails its gates ({failed}): no pull request"
            )

    def table(self) -> list[str]:
        """Metric, old, new, gate."""
        before = f"version {self.before}" if self.before else "none before"
        lines = [f"| metric | {before} | version {self.version} | gate |", "|---|---:|---:|---|"]
        for gate in self.gates:
            verdict = "passed" if gate.passed else "**FAILED**"
            lines.append(
                f"| `{gate.metric}` | {_figure(gate.before)} | {_figure(gate.value)} | "
                f"{gate.gate}: {gate.limit.replace('<', '&lt;').replace('>', '&gt;')}, {verdict} |"
            )
        return lines


def read_gate_report(path: Path) -> GateReport:
    try:
        return msgspec.json.decode(path.read_bytes(), type=GateReport)
    except (OSError, msgspec.DecodeError) as error:
        raise PromotionImpossible(f"{path} is no report of `training promote --dry-run`: {error}") from error


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.6g}"
