"""Knobs of an experiment as values: how found ones override those of `params.yaml`, and which of these a search may draw."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import optuna
from optuna.samplers import RandomSampler
from optuna.trial import FixedTrial, FrozenTrial

from training.params import flat
from training.recipes import Recipe

SIGNIFICANT_DIGITS = 4  # what is written to params.yaml is what was judged, and can be read


def merged(block: Mapping[str, Any], knobs: Mapping[str, Any]) -> dict[str, Any]:
    """`block` with `knobs` in place of its own, however deep; what only `block` has stays."""
    result = dict(block)
    for name, value in knobs.items():
        there = result.get(name)
        both = isinstance(value, Mapping) and isinstance(there, Mapping)
        result[name] = merged(there, value) if both else value  # type: ignore[arg-type]
    return result


def rounded(knobs: Mapping[str, Any]) -> dict[str, Any]:
    """Floats to four significant digits, however deep."""
    return {name: _rounded(value) for name, value in knobs.items()}


def digest_of(block: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(block, sort_keys=True).encode()).hexdigest()[:16]


def present_trial(recipe: Recipe, block: Mapping[str, Any], value: float) -> FrozenTrial | None:
    """The knobs of `params.yaml` as a trial that ended with `value`; None where they do not lie in the space."""
    probe = optuna.create_study(sampler=RandomSampler(seed=0)).ask()
    suggested, present = flat(recipe.suggest(probe)), flat(dict(block))
    params = {}
    for name, drawn in probe.params.items():
        paths = [path for path, leaf in suggested.items() if _names(path, name) and leaf == drawn]
        if len(paths) != 1 or paths[0] not in present:
            return None
        params[name] = present[paths[0]]
    try:
        trial = optuna.create_trial(params=params, distributions=probe.distributions, value=value)
    except (ValueError, TypeError):
        return None
    same = merged(block, rounded(recipe.suggest(FixedTrial(params)))) == dict(block)  # type: ignore[arg-type]
    return trial if same else None


def _rounded(value: Any) -> Any:
    if isinstance(value, Mapping):
        return rounded(value)
    return float(f"{value:.{SIGNIFICANT_DIGITS}g}") if isinstance(value, float) else value


def _names(path: str, name: str) -> bool:
    """A knob is suggested under its own name or under its path: `depth`, `catboost.depth` or `catboost_depth`."""
    return name in (path, path.rsplit(".", 1)[-1], path.replace(".", "_"))
