"""ONNX Runtime reports to its makers unless it is told not to before its import: no process of ours lets it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from catalog.iris.definition import DEFINITION as IRIS
from modelkit.servable import MODEL
from tests.architecture.source_tree import ROOT
from tests.tiny_servables import write_tiny

LOAD = "import sys, pathlib; from modelkit.runtime import CompiledModel; CompiledModel.load(pathlib.Path(sys.argv[1]))"


def test_loading_a_model_leaves_nothing_at_home(tmp_path: Path) -> None:
    write_tiny(IRIS, tmp_path / "servable")
    home = tmp_path / "home"
    home.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", LOAD, str(tmp_path / "servable" / MODEL)],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "HOME": str(home), "TMPDIR": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert list(home.iterdir()) == []
