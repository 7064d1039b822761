"""Alert rules with one thing wrong: what their tests have to notice, or they prove less than they seem to."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from deploy.errors import DeliveryError
from deploy.manifests.alert_rules import TESTS, judge

Rule = dict[str, Any]
Groups = list[dict[str, Any]]
NUMBER = re.compile(r'(?<![\w."\[])\d+(?:\.\d+)?(?![\w"\]])')
WINDOW = re.compile(r"\[(\d+)([smhd])\]")
DURATION = re.compile(r"(\d+)([smhd])")
MATCHER = re.compile(r'!~"[^"]*"|=~"[^"]*"')
FACTOR, LONGER, A_LITTLE = 3, 6, 0.0001


@dataclass(frozen=True)
class AlertMutant:
    alert: str
    what: str
    groups: Groups

    @property
    def rules(self) -> str:
        return yaml.safe_dump({"groups": self.groups}, sort_keys=False, width=1000)

    def survives(self, tests: Path = TESTS) -> bool:
        """No test of this alert fails."""
        names = [path.name for path in sorted(tests.glob("*.test.yaml")) if _speaks_of(path, self.alert)]
        try:
            for name in names:
                judge(self.rules, tests, named=name)
        except DeliveryError:
            return False
        return True


def _speaks_of(path: Path, alert: str) -> bool:
    return re.search(rf"alertname: {alert}\b", path.read_text(encoding="utf-8")) is not None


def alert_mutants(groups: Groups) -> Iterator[AlertMutant]:
    """Every threshold thrice as high and as low, every window and duration longer, every matcher open, every severity another."""
    for at, group in enumerate(groups):
        for number, rule in enumerate(group["rules"]):
            for what, changed in _changes(rule) if "alert" in rule else ():
                broken = copy.deepcopy(groups)
                broken[at]["rules"][number] = {**rule, **changed}
                yield AlertMutant(rule["alert"], what, broken)


def _changes(rule: Rule) -> Iterator[tuple[str, Rule]]:
    for what, expression in (*_numbers(rule["expr"]), *_windows(rule["expr"]), *_matchers(rule["expr"])):
        yield what, {"expr": expression}
    yield "severity", {"labels": {**rule["labels"], "severity": "other"}}
    if found := DURATION.fullmatch(rule.get("for", "")):
        for duration in (f"{int(found[1]) * LONGER}{found[2]}", "0s"):
            yield f"for {rule['for']} -> {duration}", {"for": duration}


def _numbers(expression: str) -> Iterator[tuple[str, str]]:
    for found in NUMBER.finditer(expression):
        value = float(found[0])
        higher = value * FACTOR if value else 1.0  # counts and flags know nothing between 0 and 1
        for other in (higher + A_LITTLE, value / FACTOR - A_LITTLE):
            yield f"{found[0]} -> {other:.4g}", _with(expression, found, repr(other))


def _windows(expression: str) -> Iterator[tuple[str, str]]:
    for found in WINDOW.finditer(expression):
        longer = f"[{int(found[1]) * LONGER}{found[2]}]"
        yield f"{found[0]} -> {longer}", _with(expression, found, longer)


def _matchers(expression: str) -> Iterable[tuple[str, str]]:
    """The same matcher wherever it stands: numerator and denominator speak of the same requests."""
    return [
        (f"{one} -> any", expression.replace(one, '=~".*"'))
        for one in sorted(set(MATCHER.findall(expression)))
    ]


def _with(expression: str, found: re.Match[str], other: str) -> str:
    return expression[: found.start()] + other + expression[found.end() :]
