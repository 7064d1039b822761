"""What a check found, and how much of it is acceptable."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One check on one subject. `share` is the part of its rows that failed, `tolerated` the part that may."""

    subject: str
    check: str
    failed: int
    rows: int
    tolerated: float = 0.0
    example: str = ""

    @property
    def share(self) -> float:
        return self.failed / self.rows if self.rows else float(self.failed > 0)

    @property
    def passed(self) -> bool:
        return self.share <= self.tolerated

    def sentence(self) -> str:
        allowed = f", {self.tolerated:.1%} tolerated" if self.tolerated else ""
        example = f", for example {self.example}" if self.example else ""
        return f"{self.subject}: {self.check}: {self.failed} of {self.rows} rows fail{allowed}{example}"
