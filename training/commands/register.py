"""`register`: what the stages left on disk becomes a version in the registry."""

from __future__ import annotations

import argparse

from modelkit.definition import ModelDefinition
from records.actor import actor_of, add_actor
from training.layout import Layout
from training.settings import TrainingSettings

HELP = "make the trained model a version in the registry, and the candidate"
MODELS = "many"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_actor(parser)


def run(arguments: argparse.Namespace, definition: ModelDefinition, settings: TrainingSettings) -> str:
    from training.promotion.ledger_session import open_ledger
    from training.registration import register
    from training.registry import Registry, said_in_one_line

    actor = actor_of(arguments)
    layout = Layout(model=definition.name)
    with said_in_one_line(), open_ledger(settings.database_url) as ledger:
        registry = Registry(settings.mlflow_tracking_uri)
        return register(definition, layout, registry, ledger, actor=actor).sentence()
