"""Who imports whom, and what importing costs: the contracts of .importlinter, and facts that only a fresh process shows."""

from __future__ import annotations

import configparser
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.source_tree import (
    ROOT,
    at_import,
    imported_names,
    module_name,
    packages,
    product_files,
    tree,
)

HEAVY = ("catboost", "mlflow", "pandas", "pyarrow", "skl2onnx", "sklearn", "sqlalchemy")


def python(code: str, folder: Path) -> str:
    """Output of a fresh interpreter that finds our packages and stands in `folder`."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def below(name: str, prefixes: tuple[str, ...]) -> bool:
    return any(name == prefix or name.startswith(f"{prefix}.") for prefix in prefixes)


def modules_below(prefix: str, *, without: tuple[str, ...] = ()) -> list[str]:
    """Importable modules; migrations are run by Alembic and programs by `python -m`, never imported."""
    names = [module_name(path) for path in product_files()]
    programs = ("__main__", "migrations")
    imported = [name for name in names if not set(programs) & set(name.split("."))]
    return [name for name in imported if below(name, (prefix,)) and not below(name, without)]


def test_the_import_contracts_are_kept() -> None:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()"]
    done = subprocess.run([*command, "--no-cache", "--no-logo"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_package_is_under_contract() -> None:
    contracts = configparser.ConfigParser()
    contracts.read(ROOT / ".importlinter")
    listed = contracts["importlinter"]["root_packages"].split()
    layered = contracts["importlinter:contract:layers"]["layers"].replace("|", " ").split()
    assert sorted(listed) == packages()
    assert sorted(layered) == packages()


@pytest.mark.parametrize("path", product_files(), ids=str)
def test_prometheus_client_is_never_imported_at_module_level(path: Path) -> None:
    # BentoML sets the multiprocess folder after our modules are imported, and the library reads it at import.
    names = imported_names(at_import(tree(path)))
    assert not {name for name in names if name.split(".")[0] == "prometheus_client"}


@pytest.mark.parametrize("package", ["auth", "modelkit"])
def test_importing_a_package_of_the_request_process_stays_light(package: str, tmp_path: Path) -> None:
    assert heavy_after(modules_below(package, without=("auth.commands", "auth.__main__")), tmp_path) == []


def test_importing_the_request_process_stays_light(tmp_path: Path) -> None:
    assert heavy_after(modules_below("serving", without=("serving.agent",)), tmp_path) == []


def test_importing_declarations_of_models_stays_light(tmp_path: Path) -> None:
    declared = [name for name in modules_below("catalog") if "recipe" not in name.split(".")]
    assert heavy_after(declared, tmp_path) == []


def heavy_after(modules: list[str], folder: Path) -> list[str]:
    lines = [f"import {name}" for name in modules]
    lines.append(f"import sys; print(*[name for name in {HEAVY!r} if name in sys.modules])")
    return python("\n".join(lines), folder).split()


@pytest.mark.parametrize("package", packages())
def test_importing_writes_and_prints_nothing(package: str, tmp_path: Path) -> None:
    code = "\n".join(f"import {name}" for name in modules_below(package))
    assert python(code, tmp_path) == ""
    assert list(tmp_path.iterdir()) == []
