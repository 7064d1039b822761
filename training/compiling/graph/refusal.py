"""Saying why a pipeline cannot be compiled, in the words of the person who wrote it."""

from __future__ import annotations

from typing import Any

from training.errors import CompileRefused


def refuse_unless(condition: bool, step: Any, reason: str) -> None:
    """Raises CompileRefused, naming the step's type, where the condition does not hold."""
    if not condition:
        raise CompileRefused(f"no graph can be made of {type(step).__name__}: {reason}")
