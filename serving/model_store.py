"""The model store on disk: versions that the agent downloaded, and a pointer per alias that tells workers what to serve.

<root>/<model>/<version>/     a servable, verified
<root>/<model>/<alias>.json   the pointer, replaced atomically
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import msgspec

_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class Pointer(msgspec.Struct, frozen=True, kw_only=True):
    """What the agent decided for one model: `desired` is the alias's version, `version` the one to serve.

    They differ while the desired version does not fit this image; `reason` then says why. `signed_by` is whose signature
    the agent verified, empty where it looked at none.
    """

    version: str
    digest: str
    desired: str
    reason: str = ""
    signed_by: str = ""


class ModelStore:
    """Paths and pointers. Readers and the one writer (the agent, which holds the store's lock) share it."""

    def __init__(self, root: Path, alias: str) -> None:
        self.root = root
        self.alias = _safe(alias)

    def version_folder(self, model: str, version: str) -> Path:
        return self.root / _safe(model) / _safe(version)

    def pointer_path(self, model: str) -> Path:
        return self.root / _safe(model) / f"{self.alias}.json"

    def read_pointer(self, model: str) -> Pointer | None:
        """None where there is no readable pointer: the store was never filled, or is being repaired."""
        return _read(self.pointer_path(model))

    def pointer_mark(self, model: str) -> tuple[int, int] | None:
        """Changes whenever the pointer was replaced; costs one stat."""
        try:
            status = self.pointer_path(model).stat()
        except FileNotFoundError:
            return None
        return status.st_mtime_ns, status.st_ino

    def pointed(self, model: str) -> set[str]:
        """The versions that any pointer of the model names, this alias's or another's."""
        folder = self.root / _safe(model)
        pointers = [_read(path) for path in folder.glob("*.json")] if folder.is_dir() else []
        return {pointer.version for pointer in pointers if pointer is not None}

    def forget_pointer(self, model: str) -> None:
        self.pointer_path(model).unlink(missing_ok=True)

    def write_pointer(self, model: str, pointer: Pointer) -> None:
        path = self.pointer_path(model)
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(".json.new")
        fresh.write_bytes(msgspec.json.encode(pointer))
        os.replace(fresh, path)

    def versions(self, model: str) -> list[str]:
        """Names of the version folders present."""
        folder = self.root / _safe(model)
        return sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []


def _read(path: Path) -> Pointer | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Pointer)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None


def _safe(name: str) -> str:
    if not _SAFE_NAME.fullmatch(name):
        raise ValueError(
            "names of models, versions and aliases are letters, digits, dot, dash and underscore"
        )
    return name
