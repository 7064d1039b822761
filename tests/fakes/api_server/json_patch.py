"""RFC 6902, as far as the API server's callers here use it: test, replace, add and remove below objects."""

from __future__ import annotations

import copy
from typing import Any


class PatchFailed(Exception):
    """One operation could not be applied: none is."""


def patched(document: dict[str, Any], operations: list[dict[str, Any]]) -> dict[str, Any]:
    changed = copy.deepcopy(document)
    for operation in operations:
        *parents, last = [
            part.replace("~1", "/").replace("~0", "~") for part in operation["path"].split("/")[1:]
        ]
        target: Any = changed
        for part in parents:
            if part not in target:
                raise PatchFailed(f"the path {operation['path']} does not exist")
            target = target[part]
        _apply(target, last, operation)
    return changed


def _apply(target: dict[str, Any], name: str, operation: dict[str, Any]) -> None:
    kind = operation["op"]
    if kind != "add" and name not in target:
        raise PatchFailed(f"the path {operation['path']} does not exist")
    if kind == "test":
        if target[name] != operation["value"]:
            raise PatchFailed(f"testing value {operation['path']} failed")
    elif kind == "remove":
        del target[name]
    else:
        target[name] = operation["value"]
