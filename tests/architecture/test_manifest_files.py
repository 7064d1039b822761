"""Nothing lies about in kustomize/ and argocd/ that no kustomization names, and every component says what it is for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.architecture.source_tree import ROOT, files

READ_BY_PEOPLE = {"README.md", "kustomization.yaml", "example.yaml", "models.env"}
# Argo CD reads these by name: they are applied by hand once, or listed in its own settings.
ELSEWHERE = {"argocd/notifications"}
FOLDERS = sorted(
    {path.parent for path in files() if path.parts[0] in {"kustomize", "argocd"} and path.name != "README.md"}
)
COMPONENTS = [folder for folder in FOLDERS if folder.parent == Path("kustomize/components")]


@pytest.mark.parametrize("folder", FOLDERS, ids=str)
def test_every_manifest_is_named_by_the_kustomization_beside_it(folder: Path) -> None:
    """An application that is there to be switched on is named in a comment."""
    if str(folder) in ELSEWHERE:
        return
    kustomization = (ROOT / folder / "kustomization.yaml").read_text(encoding="utf-8")
    there = {path.name for path in files() if path.parent == folder} - READ_BY_PEOPLE
    assert {name for name in there if name not in kustomization} == set()


@pytest.mark.parametrize("folder", COMPONENTS, ids=str)
def test_a_component_says_what_it_is_for(folder: Path) -> None:
    assert (ROOT / folder / "kustomization.yaml").read_text(encoding="utf-8").startswith("# ")


def test_every_component_is_in_the_table_of_components() -> None:
    table = (ROOT / "kustomize" / "README.md").read_text(encoding="utf-8")
    assert [folder.name for folder in COMPONENTS if f"`{folder.name}`" not in table] == []
