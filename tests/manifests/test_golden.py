"""What the overlays render to is committed: nobody changes a deployment without a reviewer seeing all of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.manifests.golden import difference, stable, stale, write
from tests.manifests.rendering import overlay_text, overlays

RENDERED = "apiVersion: v1\nkind: Service\nmetadata:\n  name: slipway\n"


@pytest.mark.parametrize("name", overlays())
def test_an_overlay_renders_as_it_was_committed(name: str) -> None:
    found = difference(name, overlay_text(name))
    assert not found, f"{found}\n\nmeant? then: make golden"


def test_no_render_is_kept_of_an_overlay_that_is_no_more() -> None:
    assert stale(overlays()) == []


def test_a_change_is_shown_by_object(tmp_path: Path) -> None:
    write("some", RENDERED, tmp_path)
    assert difference("some", RENDERED, tmp_path) == ""
    found = difference("some", RENDERED.replace("slipway", "other"), tmp_path)
    assert "added: Service other" in found
    assert "removed: Service slipway" in found


def test_a_promotion_changes_no_committed_render() -> None:
    image = "image: ghcr.io/example/slipway@sha256:"
    assert stable(image + "0" * 64) == stable(image + "a" * 64)
    assert stable("image: redis@sha256:" + "0" * 64) != stable("image: redis@sha256:" + "a" * 64)
