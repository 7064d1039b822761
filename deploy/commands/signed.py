"""`signed`: is an image signed by whom it should be, with what it holds and where it comes from attested."""

from __future__ import annotations

import argparse

from deploy.binaries import ensure
from deploy.promotion.signing import Verifier

HELP = "check an image's signature and attestations with cosign; exit code 2 where one is missing"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("reference", help="name@sha256:…")
    whose = parser.add_mutually_exclusive_group(required=True)
    whose.add_argument("--key", help="public key, a file or a KMS address")
    whose.add_argument("--identity", help="pattern of the address of the workflow that signed")
    parser.add_argument("--unlogged", action="store_true", help="with --key: signed without the public log")


def run(options: argparse.Namespace) -> int:
    verifier = Verifier(
        program=str(ensure("cosign")),
        key=options.key or None,
        identity=options.identity or None,
        logged=not options.unlogged,
    )
    print(verifier.verify(options.reference))
    return 0
