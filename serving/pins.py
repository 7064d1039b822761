"""`MODEL_SOURCE=pinned`: the registry's versions that a deployment names, so that Git says what runs."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

_PIN = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)\s*=\s*([1-9][0-9]*)")


def parse_pins(text: str, *, setting: str) -> dict[str, str]:
    """Model and version from `iris=3,basket=12`, or a line for each, `#` before comments. Raises ValueError."""
    pins: dict[str, str] = {}
    for line in text.splitlines():
        for entry in line.partition("#")[0].split(","):
            if not entry.strip():
                continue
            found = _PIN.fullmatch(entry.strip())
            if found is None:
                raise ValueError(f"{setting}: a model and its version are written as iris=3")
            model, version = found.groups()
            if model in pins:
                raise ValueError(f"{setting} names {model} twice")
            pins[model] = version
    return pins


def read_pins(text: str, path: Path | None) -> dict[str, str]:
    """The pins of MODEL_VERSIONS, or of the file that MODEL_VERSIONS_FILE names. Raises ValueError."""
    if path is None:
        return parse_pins(text, setting="MODEL_VERSIONS")
    try:
        content = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise ValueError("MODEL_VERSIONS_FILE cannot be read") from None
    return parse_pins(content, setting="MODEL_VERSIONS_FILE")


def refuse_unpinned(pins: Collection[str], *, served: Collection[str], known: Collection[str]) -> None:
    """Raises ValueError unless every served model is pinned, and every pinned model exists."""
    if unpinned := sorted(set(served) - set(pins)):
        raise ValueError(f"MODEL_SOURCE=pinned, and no version is pinned of {', '.join(unpinned)}")
    if unknown := sorted(set(pins) - set(known)):
        raise ValueError(f"a version is pinned of {', '.join(unknown)}, which the catalog does not have")
