"""Renders overlays with the one version of kustomize that the project uses, from the tree or from any Git revision."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.binaries import ensure
from deploy.errors import DeliveryError

ROOT = Path(__file__).resolve().parents[2]
RENDER_SECONDS = 60


def overlays(root: Path = ROOT) -> tuple[str, ...]:
    """Names of everything that can be deployed."""
    return tuple(sorted(found.parent.name for found in root.glob("kustomize/overlays/*/kustomization.yaml")))


def overlay_folder(name: str, root: Path = ROOT) -> Path:
    if name not in overlays(root):
        raise DeliveryError(f"no overlay called {name}; there are: {', '.join(overlays(root))}")
    return root / "kustomize" / "overlays" / name


def render(folder: Path) -> str:
    """What `kubectl apply -k` would send; files above the folder are read where a kustomization names them."""
    command = [str(ensure("kustomize")), "build", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=RENDER_SECONDS, check=False)
    if done.returncode or done.stderr.strip():  # a warning (a deprecated field) is a refusal a version later
        raise DeliveryError(f"{folder.name} does not render: {done.stderr.strip()}")
    return done.stdout


@contextmanager
def tree_of(revision: str, root: Path = ROOT) -> Iterator[Path]:
    """The kustomizations as they were in a revision, in a folder that goes away."""
    command = ["git", "archive", "--format=tar", revision, "--", "kustomize"]
    done = subprocess.run(command, cwd=root, capture_output=True, check=False)
    if done.returncode:
        raise DeliveryError(f"{revision}: {done.stderr.decode(errors='replace').strip()}")
    with tempfile.TemporaryDirectory(prefix="slipway-tree-") as folder:
        # Not `tarfile`: the first releases of Python 3.11 have no safe way of unpacking.
        subprocess.run(["tar", "--extract", "--directory", folder], input=done.stdout, check=True)
        yield Path(folder)


def render_at(revision: str, overlay: str, root: Path = ROOT) -> str:
    """An overlay as a revision renders it; empty where it did not exist yet."""
    with tree_of(revision, root) as tree:
        return render(overlay_folder(overlay, tree)) if overlay in overlays(tree) else ""
