"""`sign`: approve a version that is registered, without moving an alias: what was promoted before there was this key."""

from __future__ import annotations

import argparse

from modelkit.definition import ModelDefinition
from training.settings import TrainingSettings

HELP = "sign what is in production (or a version) with MODEL_SIGNING_KEY"
MODELS = "many"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--version", default=None, metavar="N", help="by default the one in production")


def run(arguments: argparse.Namespace, definition: ModelDefinition, settings: TrainingSettings) -> str:
    from training.errors import Misused, SettingsInvalid
    from training.promotion.signing import Signer, version_asked
    from training.registry import Registry, said_in_one_line

    if len(arguments.models) > 1 and arguments.version:
        raise Misused("--version is about one model; nothing was done")
    key = settings.signing_key
    if key is None:
        raise SettingsInvalid("MODEL_SIGNING_KEY: no key to sign with (`python -m training signing-key`)")
    with said_in_one_line():
        registry = Registry(settings.mlflow_tracking_uri)
        version = version_asked(registry, definition, arguments.version)
        return Signer(registry, key).sign(version)
