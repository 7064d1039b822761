"""Who exports no spans loads nothing of OpenTelemetry's: neither a worker's own code nor the agent's."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.architecture.source_tree import ROOT


@pytest.mark.parametrize("module", ["serving.bootstrap", "serving.agent.parts", "serving.tracing.wiring"])
def test_nothing_of_opentelemetry_is_loaded_until_spans_are_exported(module: str) -> None:
    program = (
        f"import sys, {module}; print(*(name for name in sys.modules if name.startswith('opentelemetry')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []
