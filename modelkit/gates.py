"""Promotion gates: bounds on a version's metrics, as data in a definition and as one function that judges them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Gate:
    """A bound on one metric of the flat metrics of a version, for example `overall.mae` or `latency.p95_ms`.

    Exactly one of `at_least` and `at_most` is given, in the metric's own unit.
    """

    name: str
    metric: str
    at_least: float | None = None
    at_most: float | None = None

    def __post_init__(self) -> None:
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError(f"gate {self.name}: give at_least or at_most")


@dataclass(frozen=True, kw_only=True)
class GateResult:
    """A gate's verdict. `missed_by` is how far the value lies beyond the limit: 0 when it passed, infinite when unmeasured."""

    gate: str
    metric: str
    value: float | None
    limit: str
    passed: bool
    missed_by: float

    def sentence(self) -> str:
        value = "not measured" if self.value is None else f"{self.value:.6g}"
        verdict = "passed" if self.passed else f"FAILED by {self.missed_by:.6g}"
        return f"{self.gate}: {self.metric} = {value}, needs {self.limit}: {verdict}"


def judge(gates: Iterable[Gate], metrics: Mapping[str, float]) -> list[GateResult]:
    """Every gate against the metrics. A metric that was not measured, or is not a number, fails its gate."""
    return [_judge_one(gate, metrics.get(gate.metric)) for gate in gates]


def _judge_one(gate: Gate, value: float | None) -> GateResult:
    if gate.at_least is not None:
        limit, missed = f">= {gate.at_least:g}", gate.at_least - (value if value is not None else -math.inf)
    else:
        assert gate.at_most is not None
        limit, missed = f"<= {gate.at_most:g}", (value if value is not None else math.inf) - gate.at_most
    passed = missed <= 0
    return GateResult(
        gate=gate.name,
        metric=gate.metric,
        value=value,
        limit=limit,
        passed=passed,
        missed_by=0.0 if passed else missed,
    )
