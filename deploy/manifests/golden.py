"""Overlays as they rendered when somebody last looked: a change to one file shows all of what it changes, in review.

A released image's digest is left out: promotions change it, one line at a time, and are reviewed by `deploy diff`.
"""

from __future__ import annotations

import re
from pathlib import Path

from deploy.manifests.diff import as_text, compare
from deploy.manifests.kustomize import ROOT
from deploy.manifests.objects import parse

FOLDER = ROOT / "tests" / "manifests" / "golden"
DIGEST = re.compile(r"(/slipway(?:-training)?)@sha256:[0-9a-f]{64}\b")


def stable(rendered: str) -> str:
    return DIGEST.sub(r"\1@sha256:released", rendered)


def write(overlay: str, rendered: str, folder: Path = FOLDER) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{overlay}.yaml"
    path.write_text(stable(rendered), encoding="utf-8")
    return path


def difference(overlay: str, rendered: str, folder: Path = FOLDER) -> str:
    """What changed since, object by object; empty when nothing did."""
    path = folder / f"{overlay}.yaml"
    before, after = path.read_text(encoding="utf-8") if path.is_file() else "", stable(rendered)
    if before == after:
        return ""
    changes = compare(parse(before), parse(after))
    return as_text(overlay, changes) if changes else f"{overlay}: the same objects in another order or layout"


def stale(overlays: tuple[str, ...], folder: Path = FOLDER) -> list[str]:
    """Files of overlays that are no more."""
    return sorted(path.name for path in folder.glob("*.yaml") if path.stem not in overlays)
