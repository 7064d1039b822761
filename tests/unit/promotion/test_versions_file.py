"""Whoever reads the versions that Git names reads the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelkit.definition import load_catalog
from modelkit.versions_file import read_versions
from serving.pins import parse_pins
from tests.architecture.source_tree import ROOT, files

RECORDS = [path for path in files() if path.name == "models.env"]


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.parent.name)
def test_a_pinned_pod_reads_what_a_promotion_wrote(path: Path) -> None:
    text = (ROOT / path).read_text()
    found = read_versions(text, source=path.name)
    assert found == parse_pins(text, setting="MODEL_VERSIONS_FILE")
    assert set(found) <= set(load_catalog())


@pytest.mark.parametrize("overlay", ["staging", "production", "aws", "kserve"])
def test_an_overlay_outside_dev_has_a_record(overlay: str) -> None:
    assert Path("kustomize/overlays") / overlay / "models.env" in RECORDS
