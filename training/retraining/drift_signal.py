"""The signal that live traffic has left what a model was trained on: a PSI per column, from whoever measured it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from training.errors import RetrainingFailed


@dataclass(frozen=True, kw_only=True)
class Drift:
    """PSI by column, and the limit from which on a column counts as drifted."""

    columns: Mapping[str, float]
    limit: float

    @property
    def drifted(self) -> list[str]:
        """Worst first."""
        found = [name for name, psi in self.columns.items() if psi >= self.limit]
        return sorted(found, key=lambda name: -self.columns[name])

    def sentence(self) -> str:
        if not self.drifted:
            return f"no column of {len(self.columns)} has a PSI of {self.limit:g} or more"
        worst = ", ".join(f"{name} ({self.columns[name]:.3g})" for name in self.drifted)
        return f"{len(self.drifted)} of {len(self.columns)} columns drifted: {worst}"


def read_drift(path: Path, limit: float) -> Drift:
    """A JSON object of columns and their PSI, or one whose `columns` is that. Raises RetrainingFailed for anything else."""
    try:
        found = json.loads(path.read_text())
        columns = {str(name): float(psi) for name, psi in found.get("columns", found).items()}
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise RetrainingFailed(
            f"{path} is no drift report: a JSON object of columns and their PSI"
        ) from error
    return Drift(columns=columns, limit=limit)
