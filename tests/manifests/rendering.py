"""Renders overlays, and components on the base, for every test that judges manifests; each of them once in a run."""

from __future__ import annotations

import atexit
import itertools
import os
import shutil
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

from deploy.manifests import kustomize
from deploy.manifests.kustomize import ROOT
from deploy.manifests.objects import Manifest, parse
from tests.manifests.conflicts import meet

DEVELOPMENT = """
configMapGenerator:
  - {name: slipway-settings, behavior: merge, literals: [SLIPWAY_ENV=dev]}
images:
  - {name: slipway, newTag: dev}
  - {name: slipway-training, newTag: dev}
"""
# What some components expect of the overlay that lists them.
EXPECTED = {
    "pinned": """
  - {name: slipway-models, literals: ["models.env=iris=3"]}
""",
    "identity": """
  - {name: slipway-policy, files: [policy.toml]}
""",
    "signed-models": """
  - {name: slipway-model-keys, literals: ["model-keys.pem=one key"]}
""",
    "autoscaling-keda": """
replacements:
  - source: {kind: Namespace, fieldPath: metadata.name}
    targets:
      - select: {kind: ScaledObject, name: slipway}
        fieldPaths: ["spec.triggers.[name=concurrency].metadata.query"]
        options: {delimiter: '"', index: 1}
""",
}
GENERATED = ("pinned", "identity", "signed-models")  # ConfigMaps of the overlay
COMPONENTS = ROOT / "kustomize" / "components"


def overlays() -> tuple[str, ...]:
    return kustomize.overlays()


def components() -> tuple[str, ...]:
    return tuple(sorted(found.parent.name for found in COMPONENTS.glob("*/kustomization.yaml")))


def pairs() -> tuple[tuple[str, str], ...]:
    """Every two components that an overlay may list together."""
    return tuple(pair for pair in itertools.combinations(components(), 2) if meet(*pair))


@cache
def overlay_text(name: str) -> str:
    return kustomize.render(ROOT / "kustomize" / "overlays" / name)


@cache
def overlay(name: str) -> tuple[Manifest, ...]:
    return parse(overlay_text(name))


@cache
def on_base(*names: str) -> str:
    """The base with components, as an overlay of these and nothing else."""
    folder = Path(tempfile.mkdtemp(dir=_scratch()))
    relative = os.path.relpath(ROOT / "kustomize", folder)
    listed = "".join(f"  - {relative}/components/{name}\n" for name in names)
    shutil.copy(ROOT / "kustomize" / "overlays" / "dev" / "policy.toml", folder)
    (folder / "kustomization.yaml").write_text(
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nnamespace: slipway-dev\n"
        f"resources: [{relative}/base]\ncomponents:\n{listed}{_expected(names)}",
        encoding="utf-8",
    )
    return kustomize.render(folder)


def _expected(names: tuple[str, ...]) -> str:
    made = "".join(EXPECTED[name].rstrip() for name in GENERATED if name in names)
    rest = "".join(text for name, text in EXPECTED.items() if name in names and name not in GENERATED)
    generators, images = DEVELOPMENT.split("images:")
    return f"{generators.rstrip()}{made}\nimages:{images}{rest}"


@cache
def on_base_objects(*names: str) -> tuple[Manifest, ...]:
    return parse(on_base(*names))


@cache
def rendered_folder(path: str) -> tuple[Manifest, ...]:
    return parse(kustomize.render(ROOT / path))


def render_ahead(combinations: Iterable[tuple[str, ...]]) -> None:
    """Fills the cache on two cores; what fails to render fails in the test that asks for it."""

    def attempt(names: tuple[str, ...]) -> None:
        try:
            on_base(*names)
        except Exception:
            return

    with ThreadPoolExecutor(max_workers=2) as pool:
        list(pool.map(attempt, combinations))


@cache
def _scratch() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="slipway-render-")).resolve()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
