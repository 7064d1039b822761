"""One call of `params-search`: opens what a search needs, draws its progress, and writes down what it found."""

from __future__ import annotations

import math
import re
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from tqdm import tqdm

from modelkit.definition import ModelDefinition, Task
from training.errors import SearchImpossible
from training.evaluation.scores import main_metric
from training.fitting.cuts import Cut
from training.fitting.fit import fit
from training.layout import Layout
from training.params import ModelParams, flat
from training.recipes import recipe_of
from training.registry import SearchRuns
from training.search.material import Judge, read_material
from training.search.params_edit import write_knobs
from training.search.search import Found, Search
from training.search.study import open_study
from training.settings import TrainingSettings


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What the caller asked for. `trials` is the study's total."""

    trials: int = 15
    timeout_seconds: float | None = None
    study: str | None = None
    write: bool = True


def search(
    definition: ModelDefinition, params: ModelParams, layout: Layout, wish: Wish, settings: TrainingSettings
) -> str:
    """What was found, and the diff of `params.yaml` where it is better than what the file says."""
    material = read_material(definition, layout)
    name = _checked(wish.study or f"{definition.name}-{material.digest[:8]}")
    recipe, seed = recipe_of(definition), int(params.train["seed"])
    maximise = definition.task is Task.CLASSIFICATION
    study = open_study(settings.optuna_storage, name, maximise=maximise, seed=seed)

    def fitted(knobs: Mapping[str, Any], features: pd.DataFrame, cut: Cut) -> Any:
        return fit(definition, knobs, features, cut).estimator

    judge = Judge(definition, fitted, material.features, seed)
    found = Search(study, recipe, judge, block=params.train, metric=main_metric(definition))
    found.claim(material.digest)
    runs = SearchRuns(settings.mlflow_tracking_uri, definition.name, name)
    best = _run(found, runs, wish)
    diff = write_knobs(
        definition.name, best.knobs, layout.root / "params.yaml", dry=not (wish.write and best.better)
    )
    diff = diff if best.better else ""
    runs.finish(
        flat(dict(best.knobs)), {best.metric: best.value, f"present.{best.metric}": best.present}, diff
    )
    return _said(name, best, wish, diff)


def _run(found: Search, runs: SearchRuns, wish: Wish) -> Found:
    give_up_at = time.monotonic() + (math.inf if wish.timeout_seconds is None else wish.timeout_seconds)
    present = found.present(runs)
    with tqdm(total=wish.trials, unit="trial", file=sys.stderr, disable=None) as bar:

        def told(finished: int) -> None:
            bar.update(finished - bar.n)

        found.run(total=wish.trials, give_up_at=give_up_at, log=runs, told=told)
    return found.found(present)


def _checked(name: str) -> str:
    if not re.fullmatch(r"[\w.-]+", name):
        raise SearchImpossible(f"a study's name has letters, digits, dots and dashes, unlike {name!r}")
    return name


def _said(name: str, best: Found, wish: Wish, diff: str) -> str:
    said = f"{name}: {best.sentence()}"
    if not diff:
        return f"{said}; params.yaml stays as it is"
    return f"{said}; {'written to params.yaml' if wish.write else 'not written'}\n{diff.rstrip()}"
