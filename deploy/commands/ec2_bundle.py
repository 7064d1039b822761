"""The revision that CodeDeploy installs: deploy/ec2 as one archive, the same bytes for the same commit.

Upload it (`aws s3 cp`) and start a deployment (`aws deploy create-deployment`); docs/deploy.md has both lines.
"""

from __future__ import annotations

import argparse
import re
import zipfile
from pathlib import Path

from deploy.errors import DeliveryError

HELP = "pack deploy/ec2 for CodeDeploy"
FOLDER = Path(__file__).resolve().parent.parent / "ec2"
PARTS = ("appspec.yml", "release.env", "settings.env", "hooks/*.sh", "units/*.service")
IMAGE = re.compile(r"^IMAGE=(?P<repository>\S+)@sha256:(?P<digest>[0-9a-f]{64})$", re.MULTILINE)
EPOCH = (1980, 1, 1, 0, 0, 0)


class NotReleased(DeliveryError):
    """`release.env` names no image that exists."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("archive", type=Path, help="the .zip to write")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="default: deploy/ec2")


def run(options: argparse.Namespace) -> int:
    write_bundle(options.folder, options.archive)
    print(f"{options.archive}: {released_image(options.folder)}")
    return 0


def released_image(folder: Path) -> str:
    """The image by digest. Raises NotReleased for a tag, and for the zeros from before the first release."""
    found = IMAGE.search((folder / "release.env").read_text(encoding="utf-8"))
    if found is None:
        raise NotReleased("release.env needs a line IMAGE=repository@sha256:digest")
    if not found["digest"].strip("0"):
        raise NotReleased("release.env still has the digest of zeros: nothing is released yet")
    return found[0].removeprefix("IMAGE=")


def write_bundle(folder: Path, archive: Path) -> None:
    released_image(folder)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as bundle:
        for path in sorted(path for part in PARTS for path in folder.glob(part)):
            entry = zipfile.ZipInfo(str(path.relative_to(folder)), EPOCH)
            entry.external_attr = (0o755 if path.suffix == ".sh" else 0o644) << 16
            bundle.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)
