"""Overlays with the components that they came with: what mutants are born from, however somebody has changed the lists since."""

from __future__ import annotations

import shutil
import tempfile
from functools import cache
from pathlib import Path

import yaml

from deploy.manifests.kustomize import ROOT, render
from deploy.manifests.objects import parse
from tests.manifests.policy.model import Rendered
from tests.manifests.policy.rulebook import rendered

_EVERYWHERE = (
    *("network-policy", "external-secrets", "migrations", "model-store-init", "identity", "monitoring"),
)
COMPONENTS = {
    "staging": (*_EVERYWHERE, "autoscaling-hpa", "ingress", "smoke-test"),
    "production": (*_EVERYWHERE, "signed-models", "autoscaling-keda", "ingress", "smoke-test"),
    "aws": (*_EVERYWHERE, "signed-models", "autoscaling-hpa", "ingress", "smoke-test"),
}

DELIVERED_CONFIGURATION = {"slipway-settings", "slipway-policy", "slipway-model-keys"}


@cache
def delivered(name: str) -> Rendered:
    """What the rules are shown under that name, made from the first list of components where it is another one now."""
    if name not in COMPONENTS:
        return rendered(name)
    listed = [f"../../components/{each}" for each in COMPONENTS[name]]
    text = yaml.safe_load((_folder(ROOT, name) / "kustomization.yaml").read_text(encoding="utf-8"))
    if text["components"] == listed:
        return rendered(name)
    with tempfile.TemporaryDirectory(prefix="slipway-delivered-") as scratch:
        copy = Path(scratch).resolve()
        shutil.copytree(ROOT / "kustomize", copy / "kustomize")
        generators = [each for each in text["configMapGenerator"] if each["name"] in DELIVERED_CONFIGURATION]
        text |= {"components": listed, "configMapGenerator": generators}
        folder = _folder(copy, name)
        (folder / "kustomization.yaml").write_text(yaml.safe_dump(text), encoding="utf-8")
        return Rendered(name, parse(render(folder)))


def _folder(root: Path, name: str) -> Path:
    return root / "kustomize" / "overlays" / name
