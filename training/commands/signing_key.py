"""`signing-key`: the key pair with which versions are approved."""

from __future__ import annotations

import argparse
from pathlib import Path

from training.settings import TrainingSettings

HELP = "make the key pair with which approved versions are signed"
MODELS = "none"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "path", type=Path, metavar="FILE", help="of the private key, outside of any Git repository"
    )


def run(arguments: argparse.Namespace, definition: None, settings: TrainingSettings) -> str:
    from modelkit.signature import fingerprint
    from training.promotion.signing_keys import make_pair

    public = make_pair(arguments.path)
    return (
        f"key {fingerprint(public.read_bytes())}\n"
        f"  {arguments.path}: private, for MODEL_SIGNING_KEY_FILE of whoever promotes\n"
        f"  {public}: public, for MODEL_VERIFY_KEYS_FILE of whoever serves"
    )
