"""The stages of one model, run by DVC as `dvc repro` on a terminal would: only what has changed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import yaml

from modelkit.definition import ModelDefinition
from training.data.raw_data import take_raw
from training.errors import RetrainingFailed
from training.layout import Layout

PIPELINE = "dvc.yaml"


class DvcPipeline:
    """Implements `retrain.Pipeline`. `environment` is what the stages' own processes see."""

    def __init__(
        self, definition: ModelDefinition, layout: Layout, raw: Path | None, environment: Mapping[str, str]
    ) -> None:
        self._definition, self._layout, self._raw = definition, layout, raw
        self._environment = dict(environment)

    def fetch(self) -> None:
        take_raw(self._definition, self._layout, self._raw)

    def prepare(self) -> None:
        self._repro(f"prepare@{self._definition.name}")

    def train(self) -> None:
        """Every stage that exists once for each model."""
        stages = yaml.safe_load((self._layout.root / PIPELINE).read_text())["stages"]
        self._repro(
            *(f"{name}@{self._definition.name}" for name, stage in stages.items() if "foreach" in stage)
        )

    def _repro(self, *targets: str) -> None:
        command = [sys.executable, "-m", "dvc", "repro", *targets]
        done = subprocess.run(
            command, cwd=self._layout.root, env=self._environment, capture_output=True, text=True
        )
        if done.returncode:
            said = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
            raise RetrainingFailed(f"dvc repro of {self._definition.name} failed: {' / '.join(said[-3:])}")
