"""`score`: the promoted version on a later slice of raw data, as of each row."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from modelkit.definition import ModelDefinition
from training.errors import TrainingError
from training.settings import TrainingSettings

if TYPE_CHECKING:
    import pandas as pd

    from training.promotion.promoted import Chosen

HELP = "score a version, or a servable, on a later slice of raw data"
MODELS = "one"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--raw", type=Path, required=True, metavar="DIR", help="the slice, with or without the history before"
    )
    parser.add_argument("--from", dest="since", default=None, metavar="DATE", help="first day of the slice")
    parser.add_argument("--known", type=Path, default=None, metavar="DIR", help="data/raw/MODEL by default")
    parser.add_argument("--out", type=Path, default=None, metavar="FILE", help="reports/score-MODEL.json")
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument("--version", default=None, help="a version's number")
    chosen.add_argument("--alias", default="production", help="production by default")
    chosen.add_argument("--servable", type=Path, default=None, metavar="DIR", help="a local servable")


def run(arguments: argparse.Namespace, definition: ModelDefinition, settings: TrainingSettings) -> str:
    from training.data.raw_merge import raw_folder
    from training.layout import Layout
    from training.promotion.promoted import training_cut
    from training.recipes import recipe_of
    from training.scoring.later_slice import later_slice
    from training.scoring.score_report import Scored, lines_of, write_score
    from training.scoring.slice_score import score_slice

    chosen = _chosen(arguments, definition, settings)
    known = raw_folder(recipe_of(definition), arguments.known or Layout(model=definition.name).raw)
    found = later_slice(definition, arguments.raw, known=known, since=_date(arguments.since))
    score = score_slice(definition, chosen.servable, found.rows, cut=training_cut(chosen.servable.card))
    scored = Scored(definition=definition, chosen=chosen, slice=found, score=score)
    path = arguments.out or Path("reports") / f"score-{definition.name}.json"
    write_score(scored, path)
    return "\n".join([*lines_of(scored), "", f"  written to {path} and {path.with_suffix('.csv').name}"])


def _chosen(arguments: argparse.Namespace, definition: ModelDefinition, settings: TrainingSettings) -> Chosen:
    from training.promotion.promoted import local_servable, registered_servable
    from training.registry import Registry

    if arguments.servable:
        return local_servable(definition, arguments.servable)
    registry = Registry(settings.mlflow_tracking_uri)
    return registered_servable(definition, registry, alias=arguments.alias, number=arguments.version)


def _date(text: str | None) -> pd.Timestamp | None:
    import pandas as pd

    try:
        return pd.Timestamp(text) if text else None
    except ValueError as error:
        raise TrainingError(f"--from is not a date: {text}") from error
