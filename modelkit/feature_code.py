"""Which code builds a model's features: the digest that a contract carries, so that two versions can be told apart."""

from __future__ import annotations

import ast
import hashlib
import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any


def feature_code_digest(build: Callable[..., Any]) -> str:
    """Of the module that `build` stands in, and of all that it imports from the same root package."""
    found = feature_code(build)
    code = found.pop(build.__module__)
    return hashlib.sha256((repr(sorted(found.items())) + code if found else code).encode()).hexdigest()


def feature_code(build: Callable[..., Any]) -> dict[str, str]:
    """Those modules by name, each as it is written."""
    found: dict[str, str] = {}
    waiting = [build.__module__]
    while waiting:
        file = sys.modules[waiting[0]].__file__
        code = "" if file is None else Path(file).read_text(encoding="utf-8")
        found[waiting.pop(0)] = code
        named = _imported(code, build.__module__)
        waiting += [name for name in named if name not in found and name not in waiting]
    return found


def _imported(code: str, beside: str) -> Iterator[str]:
    """Modules that the code names and that have the same root as the module `beside`."""
    root = beside.partition(".")[0]
    for name in sorted(set(_names(ast.parse(code)))):
        if name.partition(".")[0] == root:
            importlib.import_module(name)
            yield name


def _names(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            within = (f"{node.module}.{alias.name}" for alias in node.names)
            yield from (name for name in within if name in sys.modules)
