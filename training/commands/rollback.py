"""`rollback`: put the version that served before back into production."""

from __future__ import annotations

import argparse

from modelkit.definition import ModelDefinition
from records.actor import actor_of, add_actor
from training.settings import TrainingSettings

HELP = "put the previous version back into production"
MODELS = "one"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--reason", default="", help="kept in the ledger")
    add_actor(parser)
    parser.add_argument("--expect", metavar="N", help="refuse (exit code 4) unless N is in production")
    parser.add_argument("--to-version", default=None, help="an approved one; by default the one before")


def run(arguments: argparse.Namespace, definition: ModelDefinition, settings: TrainingSettings) -> str:
    from training.promotion.alias_ledger import Move
    from training.promotion.judging import Rules
    from training.promotion.ledger_session import open_ledger
    from training.promotion.promote import Promoter
    from training.registry import Registry, said_in_one_line
    from training.version import PRODUCTION

    move = Move(
        alias=PRODUCTION,
        actor=actor_of(arguments),
        reason=arguments.reason,
        expected=arguments.expect,
    )
    with said_in_one_line(), open_ledger(settings.database_url) as ledger:
        rules = Rules(signing_key=settings.signing_key)
        promoter = Promoter(definition, Registry(settings.mlflow_tracking_uri), ledger, rules)
        return promoter.rollback(move, arguments.to_version).sentence(move.alias)
