"""A project to promote in, new for every test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.promoted_project import PromotedProject, promoted_project


@pytest.fixture
def project(tmp_path: Path) -> PromotedProject:
    return promoted_project(tmp_path)
