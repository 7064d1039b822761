"""Where a model's challenger comes from: the agent's store, or CHALLENGER_PATH. Asked by the workers and by the agent's shadow.

Unlike production it has no substitute: a challenger that was taken away, or does not fit, is none.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple, Protocol

from modelkit.errors import ServableError
from modelkit.servable import MANIFEST, servable_digest
from serving.loaded_model import version_of_digest
from serving.model_path import ModelPath
from serving.model_store import ModelStore, Pointer

# The pointers of pinned challengers stand beside those of an alias, as production's do.
PINNED_CHALLENGER = "pinned-challenger"


class Offered(NamedTuple):
    """A version and where it lies; unverified. Its pointer's `version` is empty where the desired one was refused."""

    pointer: Pointer
    folder: Path


class ChallengerSource(Protocol):
    def mark(self, model: str) -> tuple[int, int] | None:
        """Changes whenever another version is offered; None while none is. Costs a stat."""

    def offered(self, model: str) -> Offered | None:
        """What is offered now. Raises ServableError."""


class StoredChallengers:
    """Implements `ChallengerSource` with the pointers that the agent moves."""

    def __init__(self, store: ModelStore) -> None:
        self._store = store

    def mark(self, model: str) -> tuple[int, int] | None:
        return self._store.pointer_mark(model)

    def offered(self, model: str) -> Offered | None:
        pointer = self._store.read_pointer(model)
        if pointer is None:
            if self._store.pointer_mark(model) is None:
                return None
            raise ServableError("its pointer cannot be read")
        folder = self._store.version_folder(model, pointer.version or pointer.desired)
        return Offered(pointer, folder)


class PathChallengers:
    """Implements `ChallengerSource` with a folder, whose versions are named by their digests."""

    def __init__(self, path: ModelPath) -> None:
        self._path = path

    def mark(self, model: str) -> tuple[int, int] | None:
        folder = self._path.folder(model)
        if folder is None:
            return None
        try:
            status = (folder / MANIFEST).stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_ino

    def offered(self, model: str) -> Offered | None:
        folder = self._path.folder(model)
        if folder is None:
            return None
        digest = servable_digest(folder)
        version = version_of_digest(digest)
        return Offered(Pointer(version=version, digest=digest, desired=version), folder)
