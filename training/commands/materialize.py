"""`materialize`: the features of a model's entities, written to where serving looks them up."""

from __future__ import annotations

import argparse

from modelkit.definition import ModelDefinition
from training.errors import FeaturesInvalid, RawDataMissing
from training.layout import Layout
from training.settings import TrainingSettings

HELP = "write the features of entities to FEATURES_URL; nothing for a model without a view"
MODELS = "any"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--to", metavar="URL", help="a folder, sqlite:, postgresql: or redis: URL")
    parser.add_argument("--as-of", metavar="TIME", help="default: the end of the data")


def run(arguments: argparse.Namespace, definition: ModelDefinition, settings: TrainingSettings) -> str:
    if definition.view is None:  # before pandas is imported: most models are done here
        return "no view, nothing to do"
    import pandas as pd

    from training.features.materialize import materialize
    from training.recipes import recipe_of

    try:
        as_of = None if arguments.as_of is None else pd.Timestamp(arguments.as_of)
    except ValueError:
        as_of = pd.NaT
    if as_of is not None and (pd.isna(as_of) or as_of.tzinfo is not None):
        raise FeaturesInvalid(f"--as-of is a local time such as 2011-11-21T00:00, not {arguments.as_of}")
    raw = Layout(model=definition.name).raw
    if not raw.is_dir():
        raise RawDataMissing(f"{raw} is not there: `python -m training data {definition.name}` makes it")
    url = arguments.to or settings.features_url
    return materialize(definition.view, recipe_of(definition), raw, url, as_of=as_of)
