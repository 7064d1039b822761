"""The shared memory of a search: an Optuna study in a database, which any number of machines may work on."""

from __future__ import annotations

import random
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.pruners import MedianPruner
from optuna.samplers import BaseSampler, TPESampler
from optuna.storages import RDBStorage
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from records.engine import with_driver
from training.errors import SearchImpossible

HEARTBEAT_SECONDS, GRACE_SECONDS = 10, 60
STARTUP_TRIALS = 5  # at random, and never pruned
# Machines that start together race for creating the tables; the loser finds them at its next try.
TRIES = 5


class NumberedSampler(BaseSampler):
    """TPE whose draws depend on the seed and the trial's number only: a resumed study goes on as if it had not stopped,
    and machines that share one study never draw the same random start."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._inner = TPESampler(seed=seed, n_startup_trials=STARTUP_TRIALS)

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        self._inner = TPESampler(seed=self._seed + trial.number, n_startup_trials=STARTUP_TRIALS)
        self._inner.before_trial(study, trial)

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        return self._inner.infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        return self._inner.sample_relative(study, trial, search_space)

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        return self._inner.sample_independent(study, trial, param_name, param_distribution)

    def after_trial(
        self, study: Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None
    ) -> None:
        self._inner.after_trial(study, trial, state, values)


def open_study(url: str, name: str, *, maximise: bool, seed: int) -> Study:
    """The study of this name, made where there is none. Raises SearchImpossible where the storage does not answer."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    for attempt in range(TRIES):
        try:
            return optuna.create_study(
                storage=_storage(url),
                study_name=name,
                direction="maximize" if maximise else "minimize",
                sampler=NumberedSampler(seed),
                pruner=MedianPruner(n_startup_trials=STARTUP_TRIALS),
                load_if_exists=True,
            )
        except (SQLAlchemyError, optuna.exceptions.StorageInternalError) as error:
            if attempt == TRIES - 1:
                where = make_url(url).render_as_string(hide_password=True)
                raise SearchImpossible(f"the study's storage {where} does not answer") from error
            time.sleep(random.uniform(0.1, 0.5))
    raise AssertionError("unreachable")


def trials_in(study: Study, *states: TrialState) -> list[FrozenTrial]:
    return study.get_trials(deepcopy=False, states=states)


def release_dead_trials(study: Study) -> None:
    """Trials whose process has not been heard of for a while count as failed, and others may take their place."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        optuna.storages.fail_stale_trials(study)


def _storage(url: str) -> RDBStorage:
    target = with_driver(make_url(url))
    # A trial takes seconds to minutes: a connection each time costs nothing, and none is left open.
    options: dict[str, Any] = {"poolclass": NullPool}
    if target.get_backend_name() == "sqlite":
        Path(target.database or "").parent.mkdir(parents=True, exist_ok=True)
        options |= {"connect_args": {"timeout": 30}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return RDBStorage(
            target.render_as_string(hide_password=False),
            engine_kwargs=options,
            heartbeat_interval=HEARTBEAT_SECONDS,
            grace_period=GRACE_SECONDS,
        )
