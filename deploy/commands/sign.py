"""`sign`: an image that was pushed, its bill of materials, and where it and its models come from."""

from __future__ import annotations

import argparse
from pathlib import Path

from deploy.binaries import ensure
from deploy.image.source import source_of
from deploy.promotion.provenance import BuiltBy, predicate, read_origins
from deploy.promotion.signing import Signer

HELP = "sign an image by digest with cosign, and attest its SBOM and provenance"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("reference", help="name@sha256:…")
    parser.add_argument("--sbom", type=Path, default=Path("reports/sbom.json"))
    parser.add_argument("--lineage", type=Path, default=Path("reports/lineage.json"))
    parser.add_argument("--builder", default="https://localhost", help="address of the run that built it")
    parser.add_argument("--unlogged", action="store_true", help="with --key: tell the public log nothing")
    parser.add_argument("--key", help="file or KMS address; without one the identity of the workflow signs")


def run(options: argparse.Namespace) -> int:
    source = source_of(Path())
    built = BuiltBy(repository=source.url or "", commit=source.revision, builder=options.builder)
    statement = predicate(built, read_origins(options.lineage))
    signer = Signer(program=str(ensure("cosign")), key=options.key or None, logged=not options.unlogged)
    print(signer.sign(options.reference, sbom=options.sbom, provenance=statement))
    return 0
