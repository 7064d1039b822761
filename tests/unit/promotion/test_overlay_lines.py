"""A promotion changes one line: comments, order and layout of the file are somebody's work."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.errors import PromotionImpossible
from deploy.promotion.overlay import Overlay

OLD, NEW = "sha256:" + "1" * 64, "sha256:" + "2" * 64
KUSTOMIZATION = f"""\
# How we run it
namespace: somewhere   # not the default
images:
  - digest: {OLD}  # of Tuesday
    name: slipway
    newName: registry.example/slipway
  - {{name: slipway-training, newName: "registry.example/training", digest: "{OLD}"}}
  - name: redis
    newTag: "8.2"
resources: [../../base]
"""
VERSIONS = "# wanted\niris = 3   # better on petals\nhousing=7"


@pytest.fixture
def overlay(tmp_path: Path) -> Overlay:
    folder = tmp_path / "kustomize/overlays/live"
    folder.mkdir(parents=True)
    (folder / "kustomization.yaml").write_text(KUSTOMIZATION)
    (folder / "models.env").write_text(VERSIONS)
    for model in ("iris", "housing", "food_delivery"):
        (tmp_path / "catalog" / model).mkdir(parents=True)
        (tmp_path / "catalog" / model / "definition.py").touch()
    return Overlay(tmp_path, "live")


def test_only_the_digest_of_that_image_changes(overlay: Overlay) -> None:
    edit = overlay.with_digest(NEW)
    assert edit.text == KUSTOMIZATION.replace(OLD, NEW, 1)
    assert (edit.before, edit.after, edit.changes) == (OLD, NEW, True)


def test_the_same_bytes_under_another_name_stay(overlay: Overlay) -> None:
    text = overlay.with_digest(NEW, "slipway-training").text
    assert text.splitlines()[3] == f"  - digest: {OLD}  # of Tuesday"
    assert text.splitlines()[6].endswith(f"digest: {NEW}}}")


def test_what_is_so_already_is_no_change(overlay: Overlay) -> None:
    assert not overlay.with_digest(OLD).changes
    assert not overlay.with_version("iris", "3").changes


def test_an_image_by_tag_is_not_promoted(overlay: Overlay) -> None:
    with pytest.raises(PromotionImpossible, match=r"runs redis by tag \(8\.2\)"):
        overlay.with_digest(NEW, "redis")


def test_only_the_version_of_that_model_changes(overlay: Overlay) -> None:
    edit = overlay.with_version("iris", "12")
    assert edit.text == VERSIONS.replace("iris = 3 ", "iris = 12 ")
    assert edit.before == "3"


def test_a_model_that_git_did_not_name_gets_a_line_of_its_own(overlay: Overlay) -> None:
    edit = overlay.with_version("food-delivery", "1")
    assert edit.text == VERSIONS + "\nfood-delivery=1\n"
    assert edit.before is None


@pytest.mark.parametrize("line", ["iris", "iris=latest", "iris=0", "iris=3\niris=4", "export iris=3"])
def test_a_record_that_says_nothing_clear_is_refused(overlay: Overlay, tmp_path: Path, line: str) -> None:
    (tmp_path / "kustomize/overlays/live/models.env").write_text(line)
    with pytest.raises(PromotionImpossible, match=r"models\.env:\d: "):
        overlay.versions()


def test_the_alias_is_that_of_the_settings(overlay: Overlay, tmp_path: Path) -> None:
    assert overlay.alias() == "production"
    (tmp_path / "kustomize/overlays/live/settings.env").write_text("LOG_LEVEL=INFO\nMODEL_ALIAS=staging\n")
    assert overlay.alias() == "staging"
    assert overlay.namespace() == "somewhere"
