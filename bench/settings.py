"""The one place of the benchmark that reads its environment, and where its files lie."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from bench.errors import BenchError

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, kw_only=True)
class Settings:
    """`work` holds environments, fixtures and databases; it is ignored by Git and can be deleted at any time."""

    root: Path
    work: Path
    uv: Path
    server_core: int
    load_core: int
    inherited: dict[str, str]

    @property
    def bin(self) -> Path:
        """Where the project's own environment keeps `python` and `bentoml`."""
        return Path(sys.executable).parent

    @property
    def peers(self) -> Path:
        return self.root / "bench" / "peers"


def read_settings() -> Settings:
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise BenchError("the benchmark needs two cores: one for the server, one for the load generator")
    kept = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR")
    return Settings(
        root=ROOT,
        work=ROOT / ".bench",
        uv=_find_uv(),
        server_core=cores[0],
        load_core=cores[1],
        inherited={name: os.environ[name] for name in kept if name in os.environ},
    )


def _find_uv() -> Path:
    candidates = [os.environ.get("UV"), shutil.which("uv"), str(ROOT / ".venv-tools" / "bin" / "uv")]
    for candidate in filter(None, candidates):
        if Path(candidate).is_file():
            return Path(candidate)
    raise BenchError("uv was not found: set UV to its path, or run `make setup`")
