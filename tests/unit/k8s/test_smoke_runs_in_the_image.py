"""What a Job of the image runs needs nothing that the image does not hold."""

from __future__ import annotations

import subprocess
import sys

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
