"""Takes one check of `auth` away after the other, in a copy, and says what the corpus gets through then.

A program of its own (`python -m tests.attacks.mutation_run COPY`), as it loads `auth` again and again. It prints JSON: of
each mutant the first attack that it lets in, or what else gave it away, or nothing.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.attacks.mutants import MUTANTS, Patch

OURS = ("auth", "tests.attacks.referee", "tests.attacks.verdict")


def main(copy: Path) -> dict[str, str]:
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(copy))
    return {"": _first_found(copy)} | {name: _judged(copy, patches) for name, patches in MUTANTS.items()}


def _judged(copy: Path, patches: list[Patch]) -> str:
    with _patched(copy, patches):
        return _first_found(copy)


def _first_found(copy: Path) -> str:
    """An attack that was let in rather than a crash, if there is one."""
    verdict = _fresh()
    other = ""
    for found in verdict.let_through(copy):
        if found.endswith(("let in", "mistaken")):
            return str(found)
        other = other or found
    return other


def _fresh() -> Any:
    for name in [name for name in sys.modules if name == "auth" or name.startswith(("auth.", *OURS[1:]))]:
        del sys.modules[name]
    importlib.invalidate_caches()
    verdict = importlib.import_module("tests.attacks.verdict")
    return verdict


@contextmanager
def _patched(copy: Path, patches: list[Patch]) -> Iterator[None]:
    originals = {patch.file: (copy / patch.file).read_text(encoding="utf-8") for patch in patches}
    try:
        for patch in patches:
            text = (copy / patch.file).read_text(encoding="utf-8")
            if text.count(patch.old) != 1:
                raise SystemExit(f"{patch.file} has {text.count(patch.old)} times: {patch.old}")
            (copy / patch.file).write_text(text.replace(patch.old, patch.new), encoding="utf-8")
        yield
    finally:
        for file, text in originals.items():
            (copy / file).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(Path(sys.argv[1]))))
