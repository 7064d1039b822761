"""What was found when a version was judged: one object for the terminal, the ledger, the registry and the reports."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelkit.gates import GateResult
from training.files import write_json
from training.promotion.replay import Replay

WITHOUT_REPLAY = "replay: left out on request"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Every gate's result, and the replay of logged requests; None where it was left out on request.

    `notes` say what the gates do not: how a comparison was made, or why there is none.
    """

    results: tuple[GateResult, ...] = ()
    replay: Replay | None = None
    notes: tuple[str, ...] = ()

    @property
    def failed(self) -> tuple[GateResult, ...]:
        return tuple(result for result in self.results if not result.passed)

    def lines(self) -> list[str]:
        replayed = WITHOUT_REPLAY if self.replay is None else self.replay.sentence()
        return [*(result.sentence() for result in self.results), *self.notes, replayed]

    def document(self) -> dict[str, Any]:
        return {
            "gates": [_as_json(result) for result in self.results],
            "notes": list(self.notes),
            "replay": {"sentence": WITHOUT_REPLAY, "left_out": True}
            if self.replay is None
            else self.replay.document(),
        }

    def write(self, folder: Path, name: str) -> None:
        """`<name>.json` and `<name>.md`, replacing those of an earlier try."""
        write_json(folder / f"{name}.json", self.document())
        (folder / f"{name}.md").write_text("\n".join([f"# {name}", "", *self.markdown()]) + "\n")

    def markdown(self) -> list[str]:
        """Gates and replay as two tables."""
        table = ["| gate | metric | value | needs | verdict |", "|---|---|---|---|---|"]
        for result in self.results:
            value = "not measured" if result.value is None else f"{result.value:.6g}"
            verdict = "passed" if result.passed else "**FAILED**"
            table.append(f"| {result.gate} | `{result.metric}` | {value} | {result.limit} | {verdict} |")
        said = [part for line in (*self.notes, self.lines()[-1]) for part in ("", line)]
        return [*table, *said, *self._rows()]

    def _rows(self) -> list[str]:
        if self.replay is None or not self.replay.rows:
            return []
        document = self.replay.document()
        refused = [f"- `{row['prediction_id']}`: {row['reason']}" for row in document["unanswerable"]]
        worst = [
            f"| `{row['prediction_id']}` | {row['version']} | {row['before']} | {row['after']} | {row['size']:.6g} |"
            for row in document["worst"]
        ]
        head = ["", "| prediction | answered by | then | now | difference |", "|---|---|---|---|---|"]
        return [*refused, *head, *worst]


def _as_json(result: GateResult) -> dict[str, Any]:
    found = dataclasses.asdict(result) | {"sentence": result.sentence()}
    return found | {"missed_by": None if math.isinf(result.missed_by) else result.missed_by}
