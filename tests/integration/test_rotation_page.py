"""docs/rotation.md: what it has people do to files is done here, line by line as it is printed, in the order of the page."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from auth.keys import read_secrets
from auth.pem_keys import read_pem_keys
from tests.architecture.source_tree import ROOT

PAGE = (ROOT / "docs" / "rotation.md").read_text()
PRINTED = [
    line
    for block in re.findall(r"^```sh\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    for line in block.splitlines()
]
HERE = ("openssl ", "python -m auth.key_check ", "(cat ")


def run(command: str, folder: Path) -> str:
    """As a reader would, with `python` being ours."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {"PATH": path, "PYTHONPATH": str(ROOT), "HOME": str(folder)}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With the old key, which the page fetches from the cluster."""
    run("openssl rand -base64 48 | tr -d '\\n' > old.key", tmp_path)
    return tmp_path


def test_the_files_that_the_page_makes_are_files_that_the_service_takes(folder: Path) -> None:
    commands = [line for line in PRINTED if line.startswith(HERE)]
    assert len(commands) > 8
    kinds = {"new.pem": set[str](), "new.key": set[str]()}
    for command in commands:
        said = run(command, folder)
        for name, found in kinds.items():
            if command.endswith(f"key_check {name}"):
                found.add(said.splitlines()[1].split()[1])
    assert kinds == {"new.pem": {"RS256"}, "new.key": {"HS256"}}
    both, exchanged = (
        read_secrets((folder / name).read_text(), setting=name) for name in ("both.key", "exchanged.key")
    )
    new, old = both.keys
    assert [key.kid for key in exchanged.keys] == [new.kid]
    assert exchanged.revoked == {old.kid}


def test_a_leaked_private_key_is_exchanged_as_the_page_says_between_the_lines(folder: Path) -> None:
    (command,) = re.findall(r"^For a private key the file is `([^`]+)`", PAGE, re.MULTILINE)
    run("openssl genpkey -algorithm ed25519 -out old.pem", folder)
    run("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out new.pem", folder)
    run(command, folder)
    old = read_pem_keys((folder / "old.pem").read_text(), setting="old")
    exchanged = read_pem_keys((folder / "exchanged.pem").read_text(), setting="exchanged")
    assert exchanged.revoked == {old.keys[0].kid}
    assert [key.algorithm for key in exchanged.keys] == ["ES256"]
