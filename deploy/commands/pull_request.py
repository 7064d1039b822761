"""`pull-request`: propose another image, another version of a model, or to take a merged promotion back."""

from __future__ import annotations

import argparse
from pathlib import Path

from deploy.promotion.forge import forge_of
from deploy.promotion.gate_report import read_gate_report
from deploy.promotion.overlay import IMAGE
from deploy.promotion.proposals import Base, Proposals
from deploy.promotion.repository import Repository

HELP = "open the pull request of a promotion, with the rendered diff; the work tree stays as it is"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--remote", default="origin", help="where the branch is pushed to")
    parser.add_argument("--base", default="main", help="branch that it goes to")
    wishes = parser.add_subparsers(dest="wish", required=True, metavar="WISH")
    image = wishes.add_parser("image", help="another digest of an image")
    image.add_argument("overlay")
    digest = image.add_mutually_exclusive_group(required=True)
    digest.add_argument("--digest", help="sha256:… as the registry says it")
    digest.add_argument("--from", dest="source", metavar="OVERLAY", help="the one that another overlay runs")
    image.add_argument("--image", default=IMAGE)
    image.add_argument("--revision", help="commit that it was built from")
    model = wishes.add_parser("model", help="another version of a model")
    model.add_argument("overlay")
    model.add_argument("model")
    model.add_argument("version", nargs="?", help="its number in the registry; the report's by default")
    model.add_argument("--report", type=Path, help="of `python -m training promote --dry-run --report`")
    revert = wishes.add_parser("revert", help="take a merged promotion back")
    revert.add_argument("commit")


def run(options: argparse.Namespace) -> int:
    here = Path.cwd()
    base = Base(remote=options.remote, branch=options.base)
    print(_proposed(Proposals(Repository(here), forge_of(here), base), options))
    return 0


def _proposed(proposals: Proposals, options: argparse.Namespace) -> str:
    match options.wish:
        case "image":
            if options.source:
                return proposals.next_image(options.overlay, options.image, source=options.source)
            revision = options.revision or None
            return proposals.image(options.overlay, options.image, options.digest, revision=revision)
        case "model":
            report = read_gate_report(options.report) if options.report else None
            version = options.version or (report.version if report else "")
            return proposals.model(options.overlay, options.model, version, report=report)
        case _:
            return proposals.revert(options.commit)
