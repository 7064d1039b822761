"""What a trial of an image found, check by check, as a table for the person who waits for it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Check:
    what: str
    found: str
    passed: bool


@dataclass
class Report:
    """Filled in the order in which things were tried."""

    image: str
    checks: list[Check] = field(default_factory=list)

    def note(self, what: str, found: object, *, passed: bool) -> None:
        self.checks.append(Check(what=what, found=str(found), passed=passed))

    def equal(self, what: str, found: object, expected: object) -> None:
        shown = found if found == expected else f"{found}, expected {expected}"
        self.note(what, shown, passed=found == expected)

    @property
    def failures(self) -> list[Check]:
        return [check for check in self.checks if not check.passed]

    def table(self) -> str:
        width = max((len(check.what) for check in self.checks), default=0)
        lines = [f"{self.image}: {len(self.checks) - len(self.failures)} of {len(self.checks)} checks passed"]
        lines += [
            f"  {'ok  ' if check.passed else 'FAIL'}  {check.what:<{width}}  {_one_line(check.found)}"
            for check in self.checks
        ]
        return "\n".join(lines)


def _one_line(text: str, limit: int = 160) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"
