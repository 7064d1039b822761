"""What the architecture tests look at: the files of the project as git sees them, new ones included, ignored ones not."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@cache
def files() -> tuple[Path, ...]:
    """Every file of the project, relative to its root."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    return tuple(sorted(Path(name) for name in set(listed.split("\0")) if name and (ROOT / name).is_file()))


def python_files() -> list[Path]:
    return [path for path in files() if path.suffix == ".py"]


def product_files() -> list[Path]:
    """Python files outside the tests, the benchmarks' peers (environments of their own) and the notebooks' scripts."""
    apart = (("bench", "peers"), ("docs", "notebooks"))
    return [path for path in python_files() if path.parts[0] != "tests" and path.parts[:2] not in apart]


def packages() -> list[str]:
    """Names of the packages at the root."""
    return sorted({path.parts[0] for path in product_files() if len(path.parts) > 1})


def module_name(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"), filename=str(path))


def imported_names(nodes: Iterator[ast.AST]) -> set[str]:
    """Modules that these nodes import by absolute name."""
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
    return found


def at_import(module: ast.Module) -> Iterator[ast.AST]:
    """The nodes that run when a module is imported: all but the bodies of functions and of `if TYPE_CHECKING`."""
    waiting: list[ast.AST] = list(module.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        yield node
        waiting.extend(ast.iter_child_nodes(node))
