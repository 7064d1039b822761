"""Hyperparameter search: trials of one study, shared by as many machines as take part, until it has its total.

The knobs of `params.yaml` are judged on the same folds first, so that a search can only make things better.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import optuna
from optuna.study import Study
from optuna.trial import FrozenTrial, Trial, TrialState

from training.errors import SearchImpossible
from training.params import flat
from training.recipes import Recipe
from training.search.knobs import digest_of, merged, present_trial, rounded
from training.search.material import Figures
from training.search.study import release_dead_trials, trials_in

KNOBS, BLOCK, FIGURES, DATA = "knobs", "block", "figures", "data"
FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)
WAIT_SECONDS = 1.0


class SurplusTrial(Exception):
    """Another machine began the last trial of the total at the same moment."""


class TrialLog(Protocol):
    """Where trials are written down for people to look at."""

    def add(self, name: str, *, params: Mapping[str, Any], figures: Figures, state: str) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Found:
    """The best trial of a study beside what `params.yaml` says."""

    metric: str
    number: int
    value: float
    present: float
    knobs: Mapping[str, Any]
    finished: int
    pruned: int
    better: bool

    def sentence(self) -> str:
        trials = f"{self.finished} trials, {self.pruned} of them pruned"
        best = f"trial {self.number} has {self.metric} {self.value:.5g}"
        verdict = "better than" if self.better else "no better than"
        return f"{trials}: {best}, {verdict} the {self.present:.5g} of params.yaml"


class Judging(Protocol):
    """How good knobs are: figures after each of some steps, the last of them the verdict."""

    def steps(self, knobs: Mapping[str, Any]) -> Iterator[Figures]: ...


class Search:
    """The search of one model. `block` is its `train` block of `params.yaml`."""

    def __init__(
        self, study: Study, recipe: Recipe, judge: Judging, *, block: Mapping[str, Any], metric: str
    ) -> None:
        self._study, self._recipe, self._judge = study, recipe, judge
        self._block, self._metric = dict(block), metric
        self._maximise = study.direction == optuna.study.StudyDirection.MAXIMIZE

    def claim(self, data: str) -> None:
        """The study is about these data from now on. Raises SearchImpossible where it is about others."""
        known = self._study.user_attrs.get(DATA)
        if known not in (None, data):
            raise SearchImpossible(
                f"study {self._study.study_name} was made on other data: choose another name for these"
            )
        self._study.set_user_attr(DATA, data)

    def present(self, log: TrialLog) -> float:
        """How good `params.yaml` is, judged once; as a trial among the others where its knobs lie in the space."""
        digest = digest_of(self._block)
        for trial in trials_in(self._study, TrialState.COMPLETE):
            if trial.user_attrs.get(BLOCK) == digest and trial.value is not None:
                return trial.value
        known = self._study.user_attrs.get(f"present.{digest}")
        if known is not None:
            return float(known)
        steps = list(self._judge.steps(self._block))
        log.add("params.yaml", params=flat(self._block), figures=steps[-1], state="complete")
        self._remember(digest, steps)
        return steps[-1][self._metric]

    def run(self, *, total: int, give_up_at: float, log: TrialLog, told: Callable[[int], None]) -> None:
        """Trials until the study has `total` that ended well, whoever ran them, or until time is up."""

        def objective(trial: Trial) -> float:
            return self._objective(trial, total)

        def logged(study: Study, trial: FrozenTrial) -> None:
            if trial.state in FINISHED:
                log.add(
                    f"trial {trial.number}",
                    params=trial.params,
                    figures=trial.user_attrs[FIGURES],
                    state=trial.state.name.lower(),
                )

        while True:
            release_dead_trials(self._study)
            finished = len(trials_in(self._study, *FINISHED))
            told(finished)
            if finished >= total or time.monotonic() > give_up_at:
                return
            if len(trials_in(self._study, *FINISHED, TrialState.RUNNING)) >= total:
                time.sleep(WAIT_SECONDS)  # others are at work on the last ones
                continue
            self._study.optimize(objective, n_trials=1, catch=(SurplusTrial,), callbacks=[logged])

    def found(self, present: float) -> Found:
        """Raises SearchImpossible while no trial ran to its end."""
        complete = trials_in(self._study, TrialState.COMPLETE)
        if not complete:
            raise SearchImpossible("no trial ran to its end: give it more time")
        best = self._study.best_trial
        value = float(best.value if best.value is not None else math.nan)
        return Found(
            metric=self._metric,
            number=best.number,
            value=value,
            present=present,
            knobs=best.user_attrs[KNOBS],
            finished=len(trials_in(self._study, *FINISHED)),
            pruned=len(trials_in(self._study, TrialState.PRUNED)),
            better=value > present if self._maximise else value < present,
        )

    def _objective(self, trial: Trial, total: int) -> float:
        others = trials_in(self._study, *FINISHED, TrialState.RUNNING)
        if sum(other.number < trial.number for other in others) >= total:
            raise SurplusTrial
        knobs = rounded(self._recipe.suggest(trial))
        block = merged(self._block, knobs)
        trial.set_user_attr(KNOBS, knobs)
        trial.set_user_attr(BLOCK, digest_of(block))
        value = math.nan
        for step, figures in enumerate(self._judge.steps(block)):
            value = figures[self._metric]
            trial.set_user_attr(FIGURES, figures)
            trial.report(value, step)
            if trial.should_prune():
                raise optuna.TrialPruned
        return value

    def _remember(self, digest: str, steps: list[Figures]) -> None:
        value = steps[-1][self._metric]
        trial = present_trial(self._recipe, self._block, value)
        if trial is None:
            self._study.set_user_attr(f"present.{digest}", value)
            return
        trial.intermediate_values = {step: figures[self._metric] for step, figures in enumerate(steps)}
        for name, found in ((KNOBS, {}), (BLOCK, digest), (FIGURES, steps[-1])):
            trial.set_user_attr(name, found)
        self._study.add_trial(trial)
