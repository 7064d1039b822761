"""`verify`: whether a version's files are those that were registered, and who signed them, as serving will see it."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from modelkit.definition import ModelDefinition
from training.settings import TrainingSettings

HELP = "check digest and signature of what is in production (or a version), as serving does"
MODELS = "any"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--version", default=None, metavar="N", help="by default the one in production")


def run(arguments: argparse.Namespace, definition: ModelDefinition, settings: TrainingSettings) -> str:
    from modelkit.signature import fingerprint
    from training.errors import Misused
    from training.promotion.signing import verify, version_asked
    from training.registry import Registry, said_in_one_line

    if len(arguments.models) != 1 and arguments.version:
        raise Misused("--version is about one model; nothing was done")
    with said_in_one_line(), tempfile.TemporaryDirectory() as scratch:
        registry = Registry(settings.mlflow_tracking_uri)
        version = version_asked(registry, definition, arguments.version)
        found = verify(registry, version, _keys(settings, Path(scratch)))
    return f"version {version.number} is what was registered, signed by {fingerprint(found.key)}"


def _keys(settings: TrainingSettings, scratch: Path) -> Path:
    """Whoever signs may ask without having written the public half anywhere."""
    from training.errors import SettingsInvalid
    from training.promotion.signing_keys import public_half

    if settings.model_verify_keys_file is not None:
        return settings.model_verify_keys_file
    key = settings.signing_key
    if key is None:
        raise SettingsInvalid("MODEL_VERIFY_KEYS_FILE: no key says whose signature counts")
    keys = scratch / "keys.pem"
    keys.write_bytes(public_half(key))
    return keys
