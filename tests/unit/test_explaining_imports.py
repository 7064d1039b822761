"""What computes explanations is never in the request process: neither its code nor protobuf, which reads graphs for it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
COMPUTING = ("modelkit.explaining", "modelkit.shapley", "modelkit.tree_shap", "google.protobuf")


def loaded(code: str) -> list[str]:
    program = f"import sys\n{code}\nprint(*(name for name in {COMPUTING} if name in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout.split()


def test_a_worker_imports_nothing_that_computes_explanations() -> None:
    assert loaded("import serving.bootstrap") == []


def test_the_explainer_imports_what_it_needs() -> None:
    assert loaded("import serving.explain.desk") == list(COMPUTING)
