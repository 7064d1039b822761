"""What kustomize/README.md lists is what there is."""

from __future__ import annotations

import re

from deploy.manifests.kustomize import ROOT

FOLDER = ROOT / "kustomize"


def listed(section: str) -> set[str]:
    """First cells of the first table below a heading; the overlays' table stands before any."""
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    part = text.split(f"## {section}\n", 1)[1] if section else text
    rows = re.search(r"(?:^\|.*\n)+", part, re.MULTILINE)
    assert rows is not None
    return set(re.findall(r"^\| `([\w-]+)` \|", rows.group(0), re.MULTILINE))


def folders(kind: str) -> set[str]:
    return {path.parent.name for path in (FOLDER / kind).glob("*/kustomization.yaml")}


def test_every_overlay_has_a_row() -> None:
    assert listed("") == folders("overlays")


def test_every_component_has_a_row() -> None:
    assert listed("Components") == folders("components")
