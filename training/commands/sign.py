"""`sign`: approve a version that is registered, without moving an alias: what was promoted before there was this key."""

from __future__ import annotations

import argparse

from modelkit.definition import ModelDefinition
from training.settings import TrainingSettings

HELP = "sign what is in production (or a version) with MODEL_SIGNING_KEY"
MODELS = "many"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--version", default=None, metavar="N", help="by default the one in production")
    which.add_argument("--approved", action="store_true", help="all that a rollback could go back to, too")


def run(arguments: argparse.Namespace, definition: ModelDefinition, settings: TrainingSettings) -> str:
    from training.errors import Misused, SettingsInvalid
    from training.promotion.ledger_session import open_ledger
    from training.promotion.signing import Signer, version_asked, versions_approved
    from training.registry import Registry, said_in_one_line

    if len(arguments.models) > 1 and arguments.version:
        raise Misused("--version is about one model; nothing was done")
    key = settings.signing_key
    if key is None:
        raise SettingsInvalid("MODEL_SIGNING_KEY: no key to sign with (`python -m training signing-key`)")
    with said_in_one_line():
        registry = Registry(settings.mlflow_tracking_uri)
        signer = Signer(registry, key)
        if not arguments.approved:
            return signer.sign(version_asked(registry, definition, arguments.version))
        with open_ledger(settings.database_url) as ledger:
            approved = versions_approved(registry, definition, ledger)
        return "\n".join(
            [f"{len(approved)} approved versions", *(f"  {signer.sign(one)}" for one in approved)]
        )
