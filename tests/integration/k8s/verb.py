"""A verb as somebody types it, with what it printed and its exit code."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import Any

from k8s.__main__ import main
from k8s.settings import ClusterSettings


@dataclass(frozen=True)
class Result:
    code: int
    text: str

    @property
    def report(self) -> dict[str, Any]:
        return json.loads(self.text)

    def findings(self, severity: str = "failed") -> list[str]:
        """`check: text` of every finding of that severity, from a JSON report."""
        found = self.report["findings"]
        return [f"{one['check']}: {one['text']}" for one in found if one["severity"] == severity]


def run(*arguments: object, settings: ClusterSettings | None = None) -> Result:
    output = io.StringIO()
    code = main([str(part) for part in arguments], settings=settings or ClusterSettings(), output=output)
    return Result(code, output.getvalue())
