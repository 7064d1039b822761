"""Everything that can be deployed renders: each overlay, each component, and every pair of components that may meet."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.manifests import kustomize
from deploy.manifests.kustomize import ROOT
from deploy.manifests.objects import documents, parse
from tests.manifests.conflicts import CONFLICTS
from tests.manifests.rendering import (
    components,
    on_base,
    overlay,
    overlay_text,
    overlays,
    pairs,
    render_ahead,
)


@pytest.fixture(scope="module", autouse=True)
def _rendered_ahead() -> None:
    render_ahead([*((name,) for name in components()), *pairs()])


@pytest.mark.parametrize("name", overlays())
def test_an_overlay_renders(name: str) -> None:
    assert overlay(name)


@pytest.mark.parametrize("name", overlays())
def test_an_overlay_renders_to_the_same_bytes_twice(name: str) -> None:
    assert kustomize.render(ROOT / "kustomize" / "overlays" / name) == overlay_text(name)


@pytest.mark.parametrize("name", overlays())
def test_no_object_is_rendered_twice(name: str) -> None:
    identities = [manifest.identity for manifest in overlay(name)]
    assert sorted(identities) == sorted(set(identities))


@pytest.mark.parametrize("name", components())
def test_a_component_renders_on_the_base(name: str) -> None:
    assert parse(on_base(name))


@pytest.mark.parametrize("pair", pairs(), ids="+".join)
def test_components_that_may_meet_render_together(pair: tuple[str, str]) -> None:
    assert parse(on_base(*pair))


def test_a_conflict_names_components_that_exist() -> None:
    assert {name for pair in CONFLICTS for name in pair} <= set(components())


@pytest.mark.parametrize("name", overlays())
def test_no_overlay_lists_components_that_conflict(name: str) -> None:
    text = (ROOT / "kustomize" / "overlays" / name / "kustomization.yaml").read_text(encoding="utf-8")
    listed = {part for part in components() if f"components/{part}" in text}
    assert [set(pair) for pair in CONFLICTS if pair <= listed] == []


@pytest.mark.parametrize(
    "path", sorted(ROOT.glob("kustomize/**/*.yaml")), ids=lambda path: str(path.relative_to(ROOT))
)
def test_no_key_is_written_twice(path: Path) -> None:
    assert documents(path.read_text(encoding="utf-8"))
