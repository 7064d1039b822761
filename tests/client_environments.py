"""Environments of clients that others wrote: made on demand from committed locks, kept until a lock changes.

A client wants other versions of libraries than ours; its suite is a script that runs under its own Python.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from tests.architecture.source_tree import ROOT

UV = ROOT / ".venv-tools" / "bin" / "uv"
FOLDER = ROOT / ".venv-clients"
SUITES = ROOT / "tests" / "third_party"
INSTALL_SECONDS, SUITE_SECONDS = 600, 300


def client_python(name: str) -> Path:
    """The Python of the environment that `requirements/clients/<name>.txt` locks; one process makes it, others wait."""
    lock = ROOT / "requirements" / "clients" / f"{name}.txt"
    folder = FOLDER / name
    stamp, digest = folder / "lock.sha256", hashlib.sha256(lock.read_bytes()).hexdigest()
    FOLDER.mkdir(exist_ok=True)
    with (FOLDER / f"{name}.lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.read_text() != digest:
            shutil.rmtree(folder, ignore_errors=True)
            _uv("venv", "--quiet", "--python", "3.11", str(folder))
            python = str(folder / "bin" / "python")
            _uv("pip", "sync", "--quiet", "--require-hashes", "--python", python, str(lock))
            stamp.write_text(digest)
    return folder / "bin" / "python"


def run_suite(name: str, *arguments: str, script: str = "suite.py", **environment: str) -> str:
    """Runs `tests/third_party/<name>/<script>` under its client's Python, with nothing of ours to import.

    What it printed; AssertionError with it when the suite ended non-zero.
    """
    done = subprocess.run(
        [str(client_python(name)), script, *arguments],
        cwd=SUITES / name,
        env={**_environment(), **environment},
        capture_output=True,
        text=True,
        timeout=SUITE_SECONDS,
        check=False,
    )
    shown = done.stdout + done.stderr
    assert done.returncode == 0, f"the suite of {name} ended with {done.returncode}\n{shown[-6000:]}"
    return shown


def _environment() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")}


def _uv(*arguments: str) -> None:
    certificates = os.environ.get("PIP_CERT")
    mirrors = {
        "UV_DEFAULT_INDEX": os.environ.get("PIP_INDEX_URL"),
        "UV_INDEX": os.environ.get("PIP_EXTRA_INDEX_URL"),
        "SSL_CERT_FILE": certificates,
    }
    known = {key: value for key, value in mirrors.items() if value is not None}
    done = subprocess.run(
        [str(UV), *arguments],
        env={**known, **_environment()},
        capture_output=True,
        text=True,
        timeout=INSTALL_SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"uv {arguments[0]} failed:\n{done.stderr.strip()[-3000:]}"
