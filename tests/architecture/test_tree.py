"""Every file has a room in the design, a reason to exist, and a size that can be read at one sitting."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.architecture.source_tree import ROOT, files, product_files, python_files, tree

# DESIGN, "The tree". A new name at the root is a decision: write it down in docs/decisions and add it here.
ROOMS = {
    *(
        "README.md",
        "CHANGELOG.md",
        "LICENSE",
        "Makefile",
        "pyproject.toml",
        "requirements",
        ".python-version",
    ),
    *(
        ".importlinter",
        ".pre-commit-config.yaml",
        ".gitignore",
        ".gitattributes",
        ".dvcignore",
        ".dockerignore",
        ".bentoignore",
        ".dvc",
        ".ci",
        ".github",
    ),
    *("service.py", "bentofile.yaml", "dvc.yaml", "dvc.lock", "params.yaml", "compose.yaml", "alembic.ini"),
    *(
        "modelkit",
        "catalog",
        "training",
        "records",
        "serving",
        "auth",
        "monitoring",
        "k8s",
        "kustomize",
        "argocd",
    ),
    *("loadtest", "bench", "tests", "clients", "deploy", "docs", "notebooks"),
}
VAGUE = {"common", "helper", "helpers", "manager", "misc", "util", "utils"}
# Not settings of ours: how BentoML and prometheus_client speak to each other, and defaults handed to a library.
ALLOWED_LINES = ("PROMETHEUS_MULTIPROC_DIR", "os.environ.setdefault(")
MAX_LINES = 300


def test_every_name_at_the_root_is_in_the_design() -> None:
    assert {path.parts[0] for path in files()} - ROOMS == set()


@pytest.mark.parametrize("path", python_files(), ids=str)
def test_a_module_says_why_it_exists(path: Path) -> None:
    if path.name != "__init__.py" or (ROOT / path).read_text().strip():
        assert ast.get_docstring(tree(path))


@pytest.mark.parametrize("path", python_files(), ids=str)
def test_a_file_can_be_read_at_one_sitting(path: Path) -> None:
    assert len((ROOT / path).read_text().splitlines()) <= MAX_LINES


def test_no_module_has_a_vague_name() -> None:
    named = [path for path in python_files() if VAGUE & {path.stem, *path.parts[:-1]}]
    assert named == []


def test_the_service_file_only_declares_the_service() -> None:
    assert len((ROOT / "service.py").read_text().splitlines()) < 60


def test_manifests_hold_no_python_and_cluster_questions_no_manifests() -> None:
    # Permissions belong to who asks, not to the service: they are applied with the verbs, not with an overlay.
    of_the_verbs = Path("k8s/rbac.yaml")
    misplaced = [
        path
        for path in files()
        if (path.parts[0] == "kustomize" and path.suffix == ".py")
        or (path.parts[0] == "k8s" and path.suffix in {".yaml", ".yml"} and path != of_the_verbs)
    ]
    assert misplaced == []


@pytest.mark.parametrize("path", product_files(), ids=str)
def test_only_settings_modules_read_the_environment(path: Path) -> None:
    if path.name == "settings.py":
        return
    lines = (ROOT / path).read_text().splitlines()
    nodes = [node for node in ast.walk(tree(path)) if isinstance(node, ast.stmt | ast.expr)]
    found = [lines[node.lineno - 1].strip() for node in nodes if reads_environment(node)]
    assert [line for line in found if not any(allowed in line for allowed in ALLOWED_LINES)] == []


def reads_environment(node: ast.AST) -> bool:
    match node:
        case ast.Attribute(value=ast.Name(id="os"), attr="environ" | "environb" | "getenv"):
            return True
        case ast.ImportFrom(module="os", names=names):
            return any(alias.name in {"environ", "environb", "getenv"} for alias in names)
        case ast.ClassDef(bases=bases):
            return any(ast.unparse(base).endswith("BaseSettings") for base in bases)
    return False


@pytest.mark.parametrize("path", [path for path in python_files() if path.parts[0] == "tests"], ids=str)
def test_no_test_is_skipped(path: Path) -> None:
    skips = {"skip", "skipif", "importorskip", "xfail"}
    found = [
        node.lineno for node in ast.walk(tree(path)) if isinstance(node, ast.Attribute) and node.attr in skips
    ]
    assert found == []
