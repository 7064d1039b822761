"""`dismiss`: take the challenger's alias away, so that production answers everybody again."""

from __future__ import annotations

import argparse

from modelkit.definition import ModelDefinition
from records.actor import actor_of, add_actor
from training.settings import TrainingSettings

HELP = "take the challenger's alias away: production answers everybody again"
MODELS = "one"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--reason", default="", help="kept in the ledger")
    add_actor(parser)
    parser.add_argument("--expect", metavar="N", help="refuse (exit code 4) unless N is the challenger")


def run(arguments: argparse.Namespace, definition: ModelDefinition, settings: TrainingSettings) -> str:
    from training.promotion.alias_ledger import DISMISS, AliasLedger, Move
    from training.promotion.ledger_session import open_ledger
    from training.registry import Registry, said_in_one_line
    from training.version import CHALLENGER

    move = Move(
        alias=CHALLENGER,
        actor=actor_of(arguments),
        reason=arguments.reason,
        action=DISMISS,
        expected=arguments.expect,
    )
    with said_in_one_line(), open_ledger(settings.database_url) as ledger:
        aliases = AliasLedger(definition, Registry(settings.mlflow_tracking_uri), ledger)
        left = aliases.seen(move)
        if left is None:
            return f"{CHALLENGER} is no version already; nothing was moved"
        aliases.dismiss(left, move)
        return f"{CHALLENGER} is no version now (before: version {left.number})"
