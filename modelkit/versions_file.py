"""`models.env`: a line `model=version` per model, `#` for comments; Git's word on which versions are wanted.

Read by whoever acts on it: a pull request changes a line, the registry's alias follows it, a pinned pod loads it.
"""

from __future__ import annotations

import re

VERSION = re.compile(r"[1-9][0-9]*")
ENTRY = re.compile(r"^\s*(?P<model>[a-z0-9-]+)\s*=\s*(?P<version>[^\s#]+)\s*(?:#.*)?$")


class VersionsInvalid(ValueError):
    """A line is no `model=version`, or the second one for a model. The text names file and line."""


def read_versions(text: str, *, source: str) -> dict[str, str]:
    """By the name of the model; a model without a line is nobody's wish."""
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        entry = ENTRY.match(line)
        if entry is None or not VERSION.fullmatch(entry["version"]):
            raise VersionsInvalid(f"{source}:{number}: not `model=version`: {line.strip()}")
        if entry["model"] in found:
            raise VersionsInvalid(f"{source}:{number}: a second version of {entry['model']}")
        found[entry["model"]] = entry["version"]
    return found


def with_version(text: str, model: str, version: str) -> str:
    """The same text with another version in the line of this model, or with a new last line."""
    lines = text.splitlines(keepends=True)
    for index, line in enumerate(lines):
        if (entry := ENTRY.match(line)) and entry["model"] == model:
            start, end = entry.span("version")
            return "".join([*lines[:index], line[:start] + version + line[end:], *lines[index + 1 :]])
    gap = "" if text.endswith("\n") or not text else "\n"
    return f"{text}{gap}{model}={version}\n"
