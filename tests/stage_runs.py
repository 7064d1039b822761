"""The stages on synthetic data with small estimators: seconds instead of minutes, the same code."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from modelkit.definition import ModelDefinition
from modelkit.servable import Servable
from training.data.raw_data import write_raw
from training.layout import Layout
from training.params import ModelParams, read_params
from training.stages.compile import compile_servable
from training.stages.evaluate import evaluate
from training.stages.featurize import featurize
from training.stages.prepare import prepare
from training.stages.report import report
from training.stages.train import train


@dataclasses.dataclass(frozen=True)
class Trained:
    """A model that all stages ran for; the tests in `tests/model` share one of each."""

    definition: ModelDefinition
    layout: Layout
    servable: Servable


STAGES = (prepare, featurize, train, evaluate, compile_servable, report)


def small_params(definition: ModelDefinition, **train_knobs: Any) -> ModelParams:
    params = read_params(definition.name)
    return dataclasses.replace(params, train={**params.train, **params.smoke, **train_knobs})


def run_stages(definition: ModelDefinition, root: Path, **train_knobs: Any) -> Layout:
    """All of them under `root`; `train_knobs` override those of `params.yaml`."""
    layout = Layout(model=definition.name, root=root)
    write_raw(definition, layout, source=None)
    params = small_params(definition, **train_knobs)
    for stage in STAGES:
        stage(definition, params, layout)
    return layout
