"""A search with nothing to fit: a parabola with its best at 0.3. Run as a program it is one machine of several.

`python -m tests.toy_search STORAGE STUDY TOTAL FOLDER MACHINES` waits in FOLDER until all machines are there.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from optuna import Trial

from training.search.search import Found, Search
from training.search.study import open_study

BLOCK = {"seed": 1, "model": {"x": 0.9, "fixed": "a"}}
STEPS = 3


class ToyRecipe:
    """The half of a recipe that a search asks."""

    def suggest(self, trial: Trial) -> dict[str, Any]:
        return {"model": {"x": trial.suggest_float("x", 0.0, 1.0)}}


class ToyJudge:
    """The distance from 0.3, a little better with every step; counts what it was asked."""

    def __init__(self) -> None:
        self.asked: list[float] = []
        self.steps_taken = 0

    def steps(self, knobs: Mapping[str, Any]) -> Iterator[dict[str, float]]:
        x = knobs["model"]["x"]
        self.asked.append(x)
        for step in range(STEPS):
            self.steps_taken += 1
            yield {"mae": (x - 0.3) ** 2 + 0.01 * (STEPS - step), "rmse": 1.0}


class TrialNotes:
    """TrialLog in memory."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.states: list[str] = []

    def add(self, name: str, *, params: Mapping[str, Any], figures: Mapping[str, float], state: str) -> None:
        self.names.append(name)
        self.states.append(state)


def toy_search(
    storage: str,
    total: int,
    *,
    study: str = "toy",
    block: Mapping[str, Any] = BLOCK,
    judge: ToyJudge | None = None,
    notes: TrialNotes | None = None,
) -> Found:
    """One call of a search on the toy; the same calls as those of `training.search.session`."""
    notes = notes or TrialNotes()
    opened = open_study(storage, study, maximise=False, seed=1)
    search = Search(opened, ToyRecipe(), judge or ToyJudge(), block=block, metric="mae")  # type: ignore[arg-type]
    search.claim("these data")
    present = search.present(notes)
    search.run(total=total, give_up_at=time.monotonic() + 60, log=notes, told=lambda finished: None)
    return search.found(present)


def main(storage: str, study: str, total: str, folder: str, machines: str) -> None:
    warnings.simplefilter("ignore")
    (Path(folder) / f"{time.time_ns()}.ready").touch()
    while len(list(Path(folder).glob("*.ready"))) < int(machines):
        time.sleep(0.01)
    notes = TrialNotes()
    found = toy_search(storage, int(total), study=study, notes=notes)
    trials = [name for name in notes.names if name.startswith("trial")]
    sys.stdout.write(f"{found.number} {found.finished} {len(trials)}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
