"""Trials of versions by the real program, as the agent has them made."""

from __future__ import annotations

import os
from pathlib import Path

from catalog.iris.definition import DEFINITION as IRIS
from serving.proof import Asked, ChildProver, Proven, Rules

ENVIRONMENT = {"PATH": os.environ["PATH"]}


def prover_of(keys: Path | None, *, required: bool, seconds: float = 60.0) -> ChildProver:
    return ChildProver("catalog", ENVIRONMENT, Rules(keys=keys, required=required), seconds=seconds)


def prove(prover: ChildProver, folder: Path, digest: str = "", number: str = "1") -> Proven:
    return prover.prove(Asked(model=IRIS.name, folder=str(folder), digest=digest, number=number))
