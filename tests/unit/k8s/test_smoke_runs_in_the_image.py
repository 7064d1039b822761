"""What a Job of the image runs needs nothing that the image does not hold."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from tests.architecture.source_tree import ROOT

MODULES = (
    "k8s.commands.smoke",
    "k8s.commands.dev_secret",
    "k8s.smoke.checks",
    "k8s.dev_secret",
    "k8s.settings",
    "k8s.errors",
    "k8s.report",
)
OUTSIDE = ("kubernetes", "websocket", "yaml", "mlflow", "sklearn", "pandas", "training", "serving")


def test_it_imports_nothing_from_outside_the_image() -> None:
    assert imported(MODULES, OUTSIDE) == "[]"


def test_development_secrets_need_the_standard_library_only() -> None:
    assert imported(("k8s.dev_secret", "k8s.settings"), ("httpx", "pydantic", "msgspec", "numpy")) == "[]"


def imported(modules: tuple[str, ...], libraries: tuple[str, ...]) -> str:
    """Those of the libraries that importing the modules brings along."""
    code = f"import sys, {', '.join(modules)}; print([name for name in {libraries!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_with_the_files_of_the_image_there_are_the_two_verbs(tmp_path: Path) -> None:
    patterns = yaml.safe_load((ROOT / "bentofile.yaml").read_text())["include"]
    for pattern in patterns:
        if pattern.startswith(("/k8s/", "/auth/", "/catalog/", "/modelkit/", "/records/")):
            for found in sorted(ROOT.glob(pattern[1:])):
                copy(found, tmp_path / found.relative_to(ROOT))
    verbs = run_there(tmp_path, "--help").stdout
    assert [name for name in ("smoke", "dev-secret", "models", "rollback") if f"    {name}" in verbs] == [
        "smoke",
        "dev-secret",
    ]
    nobody = run_there(tmp_path, "smoke", "--url", "http://127.0.0.1:1", "--timeout", "0")
    assert (nobody.returncode, "no token" in nobody.stderr) == (2, True)
    outside = run_there(tmp_path, "smoke", "--url", "http://127.0.0.1:1", "--sign-from-secret")
    assert (outside.returncode, "is not for a pod" in outside.stderr) == (2, True)


def copy(found: Path, target: Path) -> None:
    """A pattern that names a folder means what is in it."""
    if "__pycache__" in found.parts:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    if found.is_dir():
        shutil.copytree(found, target, dirs_exist_ok=True)
    else:
        shutil.copy(found, target)


def run_there(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "k8s", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)
