"""From the tree to a Bento: tracked files only, promoted models beside them, and BentoML's own `build`."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.image.programs import run
from deploy.image.source import tracked_files

NAME = "slipway"
BAKED = "baked"
CERTIFICATES = "env/python/ca.crt"


@dataclass(frozen=True, kw_only=True)
class Workshop:
    """A folder for one build. BentoML's home must not lie in what it copies, nor a part of the path begin with a dot."""

    root: Path

    @property
    def context(self) -> Path:
        return self.root / "context"

    @property
    def home(self) -> Path:
        return self.root / "bentoml"

    @property
    def baked(self) -> Path:
        return self.context / BAKED

    def bento(self, version: str) -> Path:
        return self.home / "bentos" / NAME / version

    @property
    def variables(self) -> dict[str, str]:
        """What BentoML gets to know; building needs no settings of the service."""
        return {
            "BENTOML_HOME": str(self.home),
            "BENTOML_DO_NOT_TRACK": "True",
            "PYTHONDONTWRITEBYTECODE": "1",
            "TMPDIR": str(self.root),
        }


def bentoml_program() -> str:
    return str(Path(sys.executable).with_name("bentoml"))


def copy_sources(project: Path, workshop: Workshop) -> None:
    """What Git tracks or would add, with permissions that do not depend on who checked it out."""
    for path in tracked_files(project):
        target = workshop.context / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(project / path, target)
        target.chmod(0o644)


def bake(project: Path, folder: Path, registry: Mapping[str, str]) -> str:
    """The models and features of the registry that the settings of training name. Says what was baked."""
    command = [sys.executable, "-m", "training", "bake", str(folder)]
    return run(command, cwd=project, extra=registry).strip()


def build_bento(workshop: Workshop, version: str, certificates: Path | None) -> Path:
    """The Bento's folder. Certificates are laid beside its sources, for the build stage alone."""
    command = [bentoml_program(), "build", "--version", version, "--output", "tag", str(workshop.context)]
    workshop.home.mkdir(parents=True, exist_ok=True)
    run(command, cwd=workshop.context, extra=workshop.variables)
    bento = workshop.bento(version)
    if certificates is not None:
        shutil.copyfile(certificates, bento / CERTIFICATES)
    return bento
