"""Each check of the verifiers is there for a reason: without it, the corpus gets at least one attack through."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.source_tree import ROOT
from tests.attacks.mutants import MUTANTS
from tests.attacks.verdict import let_through

pytestmark = pytest.mark.timeout(300)  # whoever comes first waits for all of them


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """All in one program of their own: `auth` is loaded again for each, and the corpus made once."""
    copy = tmp_path_factory.mktemp("mutants")
    shutil.copytree(ROOT / "auth", copy / "auth", ignore=shutil.ignore_patterns("__pycache__"))
    command = [sys.executable, "-W", "ignore", "-m", "tests.attacks.mutation_run", str(copy)]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280)
    assert finished.returncode == 0, finished.stderr[-2000:]
    found: dict[str, str] = json.loads(finished.stdout)
    return found


def test_nothing_gets_through_as_it_is(tmp_path: Path, verdicts: dict[str, str]) -> None:
    assert list(let_through(tmp_path)) == []
    assert verdicts[""] == ""


@pytest.mark.parametrize("mutant", MUTANTS)
def test_without_a_check_an_attack_gets_through(verdicts: dict[str, str], mutant: str) -> None:
    assert verdicts[mutant].endswith(("let in", "mistaken")), verdicts[mutant]
