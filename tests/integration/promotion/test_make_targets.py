"""What a workflow is given is text to make, and never a command: not in the shell, and not in make itself."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.architecture.source_tree import ROOT

MAKEFILE = (ROOT / "Makefile").read_text()
GUARDED = re.findall(r"^([a-z-]+): plain-inputs", MAKEFILE, flags=re.MULTILINE)
HOSTILE = (
    "$(shell touch {mark})",
    "x; touch {mark}",
    "`touch {mark}`",
    "$$(touch {mark})",
    "a\ntouch {mark}",
    "a b",
)


def make(target: str, **given: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], **given}
    return subprocess.run(
        ["make", "--no-print-directory", target], cwd=ROOT, env=environment, capture_output=True, text=True
    )


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("name", ["DIGEST", "MODEL", "COMMIT"])
def test_an_input_is_refused_and_not_run(tmp_path: Path, name: str, hostile: str) -> None:
    mark = tmp_path / "run"
    done = make("plain-inputs", **{name: hostile.format(mark=mark)})
    assert done.returncode == 2
    assert "neither a name nor a number" in done.stderr
    assert not mark.exists()


@pytest.mark.parametrize("target", GUARDED)
def test_a_target_of_promotion_looks_at_its_inputs_first(tmp_path: Path, target: str) -> None:
    mark = tmp_path / "run"
    given = dict.fromkeys(("OVERLAY", "DIGEST", "MODEL", "COMMIT", "IMAGE"), f"$(shell touch {mark})")
    assert "neither a name nor a number" in make(target, **given).stderr
    assert not mark.exists()


def test_what_is_needed_passes() -> None:
    given = {
        "DIGEST": "sha256:" + "a1" * 32,
        "IMAGE": "registry.example:5000/team/slipway@sha256:" + "a1" * 32,
        "SINCE": "HEAD~1",
        "ACTOR": "renovate[bot]",
        "OVERLAY": "staging",
    }
    assert make("plain-inputs", **given).returncode == 0


def test_a_name_that_no_registry_takes_is_refused_before_anything_is_built() -> None:
    done = make("plain-inputs", IMAGE_NAME="ghcr.io/Example/slipway")
    assert done.returncode == 2
    assert "no registry takes the capitals of ghcr.io/Example/slipway" in done.stderr


def test_every_target_that_proposes_or_moves_is_guarded() -> None:
    assert set(GUARDED) >= {
        "deploy-pr",
        "model-pr",
        "model-prs",
        "revert-pr",
        "aliases",
        "sign",
        "signed",
        "retag",
        "verify",
    }
