"""Environments of the peers: made on demand from committed pins, kept until the pins change."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

from bench.errors import BenchError
from bench.settings import Settings


def ensure_environment(settings: Settings, name: str) -> Path:
    """The `bin` folder of the peer's environment."""
    pins = settings.peers / name / "requirements.txt"
    folder = settings.work / "env" / name
    stamp, digest = folder / "pins.sha256", hashlib.sha256(pins.read_bytes()).hexdigest()
    if not stamp.exists() or stamp.read_text() != digest:
        print(f"  installing the environment of {name}", flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        _run(settings, "venv", "--quiet", "--python", "3.11", str(folder))
        python = str(folder / "bin" / "python")
        _run(settings, "pip", "install", "--quiet", "--compile-bytecode", "--python", python, "-r", str(pins))
        stamp.write_text(digest)
    return folder / "bin"


def _run(settings: Settings, *arguments: str) -> None:
    done = subprocess.run([str(settings.uv), *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BenchError(f"uv {arguments[0]} failed:\n{done.stderr.strip()[-2000:]}")
